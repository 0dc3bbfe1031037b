#include "api/run_report.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>

#include "sluice/version.h"

namespace sluice {
namespace {

constexpr std::size_t kWorstTensors = 10;

std::string metadata_text(const gguf::Header& model, std::string_view key) {
  const gguf::Value* value = model.find(key);
  return value == nullptr ? "" : value->as_string().value_or("");
}

std::uint64_t weights_of(const TensorReport& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1},
                         std::multiplies<>());
}

}  // namespace

RunReport report_of_task(const QuantizeOptions& options, const Prepared& prepared,
                         std::chrono::system_clock::time_point began) {
  RunReport report;
  report.version = version();
  report.date = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                            fmt::gmtime(std::chrono::system_clock::to_time_t(began)));
  report.input = options.input;
  report.output = options.output;
  report.model = metadata_text(prepared.files.model, "general.name");
  report.architecture = metadata_text(prepared.files.model, "general.architecture");
  report.file_type = options.file_type->name;
  report.imatrix = options.imatrix;
  report.effort = options.effort;
  report.parts = parts_of(prepared);
  return report;
}

void report_nothing_done(const Plan& plan, RunReport& report) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  report.resumed_bytes = plan.output_size;
  for (const PlannedTensor& tensor : plan.tensors) {
    report.tensors.push_back({.name = tensor.name,
                              .source = tensor.source,
                              .type = tensor.type,
                              .shape = tensor.shape,
                              .source_bytes = tensor.input_size,
                              .bytes = tensor.output_size,
                              .weighted_error = kUnknown,
                              .plain_error = kUnknown,
                              .weighted_power = kUnknown,
                              .plain_power = kUnknown});
  }
}

void sum_errors(RunReport& report) {
  TotalError total;
  double weighted_power = 0;
  double plain_power = 0;
  std::vector<const TensorReport*> measured;
  for (const TensorReport& tensor : report.tensors) {
    if (tensor.source == tensor.type) continue;
    total.weights += weights_of(tensor);
    if (std::isnan(tensor.weighted_error)) continue;
    total.measured_weights += weights_of(tensor);
    total.weighted += tensor.weighted_error * tensor.weighted_power;
    total.plain += tensor.plain_error * tensor.plain_power;
    weighted_power += tensor.weighted_power;
    plain_power += tensor.plain_power;
    measured.push_back(&tensor);
  }
  if (measured.empty()) return;
  if (weighted_power > 0) total.weighted /= weighted_power;
  if (plain_power > 0) total.plain /= plain_power;
  report.total_error = total;
  const auto worst = measured.begin() + std::min(kWorstTensors, measured.size());
  std::partial_sort(measured.begin(), worst, measured.end(),
                    [](const TensorReport* a, const TensorReport* b) {
                      return a->weighted_error > b->weighted_error;
                    });
  for (auto each = measured.begin(); each != worst; ++each) report.worst.push_back((*each)->name);
}

}  // namespace sluice
