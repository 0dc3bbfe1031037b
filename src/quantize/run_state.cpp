#include "quantize/run_state.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

Interval place_of(const PlannedTensor& tensor) {
  return {tensor.output_offset, tensor.output_offset + tensor.output_size};
}

}  // namespace

TensorReport report_of(const PlannedTensor& tensor) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  return {.name = tensor.name,
          .source = tensor.source,
          .stored_as = tensor.stored_as,
          .type = tensor.type,
          .asked = tensor.asked == tensor.type ? std::nullopt : std::optional(tensor.asked),
          .shape = tensor.shape,
          .source_bytes = tensor.input_size,
          .bytes = tensor.output_size,
          .weighted_error = kUnknown,
          .plain_error = kUnknown,
          .weighted_power = kUnknown,
          .plain_power = kUnknown,
          .lacks_importance = tensor.lacks_importance};
}

RunState::RunState(const Plan& plan, const IntervalSet& done, const EncodingFindings& found,
                   const Options& options, Observer& observer)
    : Monitor(observer, options.threads, options.input_bytes, options.trace),
      plan_(plan),
      done_(done),
      found_(found),
      measure_error_(options.measure_error),
      reports_(plan.tensors.size()) {
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const std::uint64_t there = done.overlap(place_of(plan.tensors[i]));
    states_.push_back({plan.tensors[i].output_size - there, there == 0});
    if (states_[i].bytes_left > 0) continue;
    reports_[i] = describe(i);
    ++tensors_done_;
  }
}

void RunState::finished(const engine::Task& task) {
  for (const engine::Result& result : task.results) {
    TensorState& state = states_[result.tensor];
    const std::uint64_t begin = result.output.begin;
    const Interval made{begin, begin + result.bytes.size()};
    const std::uint64_t anew = made.size() - done_.overlap(made);
    state.bytes_left -= anew;
    if (anew == 0 || state.bytes_left > 0) continue;
    reports_[result.tensor] = describe(result.tensor);
    observer().tensor_done(reports_[result.tensor], tensors_done_++, plan_.tensors.size());
  }
  Monitor::finished(task);
}

void RunState::expect_all_made() const {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].bytes_left == 0) continue;
    throw Error(
        ErrorCode::output_damaged,
        counted(states_[i].bytes_left, "byte") + " of it were not made, by a fault of sluice",
        {.tensor = plan_.tensors[i].name,
         .cure = "Report it; nothing has its name, and the same command goes on"});
  }
}

TensorReport RunState::describe(std::size_t index) const {
  const PlannedTensor& tensor = plan_.tensors[index];
  const EncodingErrors errors = found_.errors(index);
  const auto known = [&](double sum) {
    if (tensor.unchanged) return 0.0;
    if (!measure_error_ || !states_[index].whole) return std::numeric_limits<double>::quiet_NaN();
    return sum;
  };
  TensorReport report = report_of(tensor);
  report.weighted_error = known(errors.weighted.relative());
  report.plain_error = known(errors.plain.relative());
  report.weighted_power = known(errors.weighted.norm);
  report.plain_power = known(errors.plain.norm);
  const WeightFindings findings = found_.weights(index);
  report.beyond_range = findings.lost_range.weights;
  report.all_zero = states_[index].whole && tensor.elements() > 0 && !findings.any_nonzero;
  return report;
}

}  // namespace sluice
