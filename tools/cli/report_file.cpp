#include "report_file.h"

#include <utility>

#include "choice_file.h"

namespace sluice::cli {
namespace {

constexpr const char* kRunNumbers[] = {
    "wall_s",        "read_bytes",      "read_s",       "write_bytes",   "write_s",
    "compute_s",     "wait_disk_s",     "wait_cores_s", "wait_budget_s", "workers_busy",
    "resumed_bytes", "peak_anon_bytes", "threads",      "cached_bytes"};
constexpr const char* kRunTexts[] = {
    "version",   "date",    "command", "input", "output",  "model", "architecture",
    "file_type", "imatrix", "effort",  "io",    "spindle", "isa",   "spindle_reason"};
constexpr const char* kTotalNumbers[] = {"weighted", "plain", "measured_weights", "weights"};
constexpr const char* kTensorNumbers[] = {"bytes", "weighted_error", "plain_error",
                                          "weighted_power", "plain_power"};
constexpr const char* kTensorTexts[] = {"name", "source", "stored_as", "type", "asked"};
constexpr const char* kSampleNumbers[] = {"t", "read", "written", "disk", "cores", "budget"};
constexpr const char* kSampleTexts[] = {"limit"};

}  // namespace

ReportedRun read_report(const JsonFile& file) {
  const nlohmann::json& json = file.root();
  if (!json.contains("tensors")) file.fail("it has no 'tensors'");
  nlohmann::json run = file.fields(json, {kRunNumbers, kRunTexts});
  if (const auto total = json.find("total_error"); total != json.end() && !total->is_null()) {
    if (!total->is_object()) file.fail("'total_error' is not an object");
    run["total_error"] = file.fields(*total, {kTotalNumbers, {}});
  }
  run["tensors"] = file.named_objects(json, "tensors", {kTensorNumbers, kTensorTexts});
  run["samples"] = file.objects(json, "samples", {kSampleNumbers, kSampleTexts});
  if (const auto mix = json.find("mix"); mix != json.end() && !mix->is_null())
    run["mix"] = read_choice(file, *mix);
  return {file.path(), std::move(run)};
}

}  // namespace sluice::cli
