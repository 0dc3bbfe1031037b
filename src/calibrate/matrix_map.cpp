#include "calibrate/matrix_map.h"

#include <algorithm>
#include <utility>

namespace sluice::calibrate {

std::uint64_t stored_bytes(std::span<const weights::Band> bands) {
  std::uint64_t bytes = 0;
  for (const weights::Band& band : bands) {
    if (band.stored != weights::Band::kNone) bytes += band.range.size;
    if (band.scales) bytes += band.scales->size;
  }
  return bytes;
}

MatrixMap::MatrixMap(const ModelSource& model) : model_(model) {
  for (std::size_t i = 0; i < model_.header.tensors.size(); ++i) {
    by_name_.emplace(model_.header.tensors[i].name, i);
  }
}

std::optional<std::size_t> MatrixMap::find(std::string_view tensor) const {
  const auto found = by_name_.find(tensor);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t MatrixMap::columns(std::size_t index) const {
  return tensor(index).row_elements();
}

std::uint64_t MatrixMap::rows(std::size_t index) const {
  const std::vector<std::uint64_t>& shape = tensor(index).shape;
  return shape.size() > 1 ? shape[1] : 1;
}

std::uint64_t MatrixMap::matrices(std::size_t index) const {
  const std::vector<std::uint64_t>& shape = tensor(index).shape;
  std::uint64_t count = 1;
  for (std::size_t i = 2; i < shape.size(); ++i) count *= shape[i];
  return count;
}

std::vector<weights::Band> MatrixMap::bands(const MatrixId& matrix, std::uint64_t first_row,
                                            std::uint64_t count) const {
  const weights::Wanted wanted{.source = &model_.weights.sources[matrix.tensor],
                               .row_elements = columns(matrix.tensor)};
  return weights::bands_of_rows(model_.weights, wanted,
                                matrix.number * rows(matrix.tensor) + first_row, count);
}

std::vector<weights::Band> MatrixMap::bands(const MatrixId& matrix) const {
  return bands(matrix, 0, rows(matrix.tensor));
}

std::vector<MatrixId> MatrixMap::in_order_of_use(const std::vector<std::string>& tensors) const {
  std::vector<std::size_t> known;
  for (const std::string& name : tensors) {
    if (const auto index = find(name); index && tensor(*index).elements() > 0) {
      known.push_back(*index);
    }
  }
  std::vector<MatrixId> order;
  for (auto first = known.begin(); first != known.end();) {
    const std::uint64_t count = matrices(*first);
    const auto last =
        count == 1
            ? std::next(first)
            : std::find_if(first, known.end(), [&](std::size_t t) { return matrices(t) != count; });
    for (std::uint64_t number = 0; number < count; ++number) {
      for (auto tensor = first; tensor != last; ++tensor) order.push_back({*tensor, number});
    }
    first = last;
  }
  return order;
}

}  // namespace sluice::calibrate
