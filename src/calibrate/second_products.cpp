#include "calibrate/second_products.h"

#include <algorithm>

#include "calibrate/second_stream.h"
#include "linear/products.h"

namespace sluice::calibrate {

EncodedMatrix& SecondProducts::room(std::uint32_t tensor, std::uint64_t number) {
  std::shared_ptr<EncodedMatrix>& held = held_[{tensor, number}];
  if (!held) held = std::make_shared<EncodedMatrix>(with_.plan.tensors[tensor], with_.isa);
  return *held;
}

// That of this run, or of an earlier one.
std::shared_ptr<const EncodedMatrix> SecondProducts::encoded(std::uint32_t tensor,
                                                             std::uint64_t number) {
  const auto held = held_.find({tensor, number});
  if (held != held_.end()) return held->second;
  const std::uint64_t rows = with_.plan.tensors[tensor].rows_per_expert();
  const TensorRows all{tensor, number * rows, rows};
  if (!with_.output.has(all)) return nullptr;
  with_.output.read(all, room(tensor, number).bytes());
  return held_.at({tensor, number});
}

void SecondProducts::replace(std::uint32_t tensor, const model::Product& product) {
  const auto matrix = encoded(tensor, product.number);
  if (matrix == nullptr) return;
  const std::size_t columns = matrix->columns();
  const std::size_t rows = matrix->rows();
  std::vector<std::size_t> second;
  for (std::size_t r = 0; r < product.x.rows; ++r) {
    if (is_second(product.tokens[r], with_.sequence_length)) second.push_back(r);
  }
  const std::size_t most = std::min(kRows, second.size());
  std::vector<float> x(most * columns);
  std::vector<float> y(most * rows);
  for (std::size_t first = 0; first < second.size(); first += most) {
    const std::size_t count = std::min(most, second.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(product.x.row(second[first + i]), columns, x.data() + i * columns);
    }
    linear::multiply({x.data(), count, columns, columns}, *matrix, {y.data(), count, rows, rows},
                     with_.isa, with_.team);
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(y.data() + i * rows, rows, product.y.row(second[first + i]));
    }
  }
}

std::uint64_t SecondProducts::bytes(const PlannedTensor& tensor) {
  return EncodedMatrix::bytes_of(tensor) +
         kRows * (tensor.row_elements() + tensor.rows_per_expert()) * sizeof(float);
}

}  // namespace sluice::calibrate
