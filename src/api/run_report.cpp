#include "api/run_report.h"

#include <fmt/chrono.h>

#include <string>
#include <string_view>

#include "quantize/run_state.h"
#include "sluice/urls.h"
#include "sluice/version.h"

namespace sluice {
namespace {

std::string metadata_text(const gguf::Header& model, std::string_view key) {
  const gguf::Value* value = model.find(key);
  return value == nullptr ? "" : value->as_string().value_or("");
}

}  // namespace

RunReport report_of_task(const QuantizeOptions& options, const Prepared& prepared,
                         std::chrono::system_clock::time_point began) {
  RunReport report;
  report.version = version();
  report.date = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                            fmt::gmtime(std::chrono::system_clock::to_time_t(began)));
  report.input = masked(options.input);
  report.output = options.output;
  report.model = metadata_text(prepared.files.model, "general.name");
  report.architecture = metadata_text(prepared.files.model, "general.architecture");
  report.file_type = options.file_type->name;
  report.imatrix = masked(options.imatrix);
  if (prepared.calibration) report.calibration = facts_of(options, *prepared.calibration).files;
  report.mix = prepared.mix;
  report.share = options.share;
  report.effort = options.effort;
  report.substituted = prepared.plan.substituted;
  report.parts = parts_of(prepared);
  return report;
}

void report_nothing_done(const Plan& plan, RunReport& report) {
  report.resumed_bytes = plan.output_size;
  for (const PlannedTensor& tensor : plan.tensors) report.tensors.push_back(report_of(tensor));
}

}  // namespace sluice
