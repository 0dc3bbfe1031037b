#include "calibrate/row_output.h"

#include "engine/work.h"
#include "sluice/tensor_type.h"

namespace sluice::calibrate {
namespace {

// With the zeros that follow the last of a tensor.
Interval place_of(const Plan& plan, const TensorRows& rows) {
  const PlannedTensor& tensor = plan.tensors[rows.tensor];
  const std::uint64_t row = row_size(tensor.type, tensor.row_elements());
  const std::uint64_t begin = tensor.output_offset + rows.first * row;
  const std::uint64_t end = begin + rows.count * row;
  const bool last = end == tensor.output_offset + tensor.output_size;
  return {begin, end + (last ? tensor.output_padding : 0)};
}

// What a tensor is made of, up to a byte of its output.
std::uint64_t input_until(const PlannedTensor& tensor, std::uint64_t output) {
  const double share = static_cast<double>(output) / static_cast<double>(tensor.output_size);
  return static_cast<std::uint64_t>(share * static_cast<double>(tensor.input_size));
}

}  // namespace

bool RowOutput::has(const TensorRows& rows) const {
  return done_.contains(place_of(plan_, rows));
}

void RowOutput::put(const TensorRows& rows, std::span<const std::byte> bytes,
                    const std::function<RowFindings()>& encode) {
  const PlannedTensor& tensor = plan_.tensors[rows.tensor];
  const Interval place = place_of(plan_, rows);
  const std::uint64_t begin = place.begin - tensor.output_offset;
  engine::Task task;
  task.unit = {
      .beside_read = input_until(tensor, begin + bytes.size()) - input_until(tensor, begin),
      .tensor = rows.tensor,
      .elements = rows.count * tensor.row_elements(),
      .name = tensor.name};
  task.results.push_back({rows.tensor, place, bytes});
  const RowFindings found = encode();
  found_.add(rows.tensor, found.errors, found.weights);
  state_.made();
  writer_.prepare(task);
  writer_.take(task);
  state_.finished(task);
  writer_.settle();
}

void RowOutput::read(const TensorRows& rows, std::span<std::byte> bytes) const {
  writer_.read(place_of(plan_, rows).begin, bytes);
}

std::uint64_t input_done(const Plan& plan, std::uint32_t tensor, const IntervalSet& done) {
  const PlannedTensor& planned = plan.tensors[tensor];
  const Interval all{planned.output_offset, planned.output_offset + planned.output_size};
  return input_until(planned, done.overlap(all));
}

}  // namespace sluice::calibrate
