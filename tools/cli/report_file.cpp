#include "report_file.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <span>
#include <system_error>
#include <utility>

#include "sluice/error.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;
using Keys = std::span<const char* const>;

// A thousand tensors and a thousand samples make half a megabyte.
constexpr std::uintmax_t kLargestReport = std::uintmax_t{256} << 20;

/// What pages use of an object.
struct Fields {
  Keys numbers;
  Keys texts;
};

constexpr const char* kRunNumbers[] = {
    "wall_s",        "read_bytes",      "read_s",       "write_bytes",   "write_s",
    "compute_s",     "wait_disk_s",     "wait_cores_s", "wait_budget_s", "workers_busy",
    "resumed_bytes", "peak_anon_bytes", "threads"};
constexpr const char* kRunTexts[] = {
    "version",   "date",    "command", "input", "output",  "model", "architecture",
    "file_type", "imatrix", "effort",  "io",    "spindle", "isa",   "spindle_reason"};
constexpr const char* kTotalNumbers[] = {"weighted", "plain", "measured_weights", "weights"};
constexpr const char* kTensorNumbers[] = {"bytes", "weighted_error", "plain_error",
                                          "weighted_power", "plain_power"};
constexpr const char* kTensorTexts[] = {"name", "source", "stored_as", "type", "asked"};
constexpr const char* kSampleNumbers[] = {"t", "read", "written", "disk", "cores", "budget"};
constexpr const char* kSampleTexts[] = {"limit"};

/// Takes values out of a report and says where one is wrong.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(
        ErrorCode::input_format, "is not a report of sluice: " + what,
        {.file = file_, .cure = "Name the JSON file that 'sluice quantize --report' wrote"});
  }

  Json fields(const Json& object, const Fields& fields) const {
    Json taken = Json::object();
    for (const char* key : fields.numbers) {
      const auto found = object.find(key);
      if (found == object.end() || found->is_null()) continue;
      if (!found->is_number()) fail(fmt::format("'{}' is not a number", key));
      const auto value = found->get<double>();
      if (!std::isfinite(value) || value < 0) fail(fmt::format("'{}' is negative", key));
      taken[key] = *found;
    }
    for (const char* key : fields.texts) {
      const auto found = object.find(key);
      if (found == object.end() || found->is_null()) continue;
      if (!found->is_string()) fail(fmt::format("'{}' is not a text", key));
      taken[key] = *found;
    }
    return taken;
  }

  /// The elements of an array, which are objects.
  Json objects(const Json& object, const char* key, const Fields& fields) const {
    Json taken = Json::array();
    const auto found = object.find(key);
    if (found == object.end()) return taken;
    if (!found->is_array()) fail(fmt::format("'{}' is not a list", key));
    for (const Json& element : *found) {
      if (!element.is_object()) fail(fmt::format("'{}' holds something else than objects", key));
      taken.push_back(this->fields(element, fields));
      if (const auto shape = element.find("shape"); shape != element.end()) {
        check_shape(*shape);
        taken.back()["shape"] = *shape;
      }
    }
    return taken;
  }

 private:
  void check_shape(const Json& shape) const {
    if (!shape.is_array()) fail("'shape' is not a list");
    double weights = 1;
    for (const Json& extent : shape) {
      if (!extent.is_number_unsigned()) fail("'shape' holds something else than numbers");
      weights *= extent.get<double>();
    }
    if (!std::isfinite(weights)) fail("'shape' is too large");
  }

  const std::string& file_;
};

Json parse(const std::string& path, const Reader& reader) {
  std::error_code unknown;
  const std::uintmax_t size = std::filesystem::file_size(path, unknown);
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, unknown)) {
    throw Error(ErrorCode::input_open, "the report cannot be opened",
                {.file = path, .cure = "Check the name and the folder"});
  }
  if (!unknown && size > kLargestReport) reader.fail("it is too large");
  try {
    return Json::parse(file);
  } catch (const Json::exception& error) {
    // The message quotes what it read last, which may be anything.
    reader.fail("not JSON: " + printable(error.what()));
  }
}

}  // namespace

ReportedRun read_report(const std::string& path) {
  const Reader reader(path);
  const Json json = parse(path, reader);
  if (!json.is_object()) reader.fail("it is not an object");
  if (!json.contains("tensors")) reader.fail("it has no 'tensors'");
  Json run = reader.fields(json, {kRunNumbers, kRunTexts});
  if (const auto total = json.find("total_error"); total != json.end() && !total->is_null()) {
    if (!total->is_object()) reader.fail("'total_error' is not an object");
    run["total_error"] = reader.fields(*total, {kTotalNumbers, {}});
  }
  run["tensors"] = reader.objects(json, "tensors", {kTensorNumbers, kTensorTexts});
  for (const Json& tensor : run["tensors"]) {
    if (tensor.value("name", "").empty()) reader.fail("a tensor has no name");
  }
  run["samples"] = reader.objects(json, "samples", {kSampleNumbers, kSampleTexts});
  return {path, std::move(run)};
}

}  // namespace sluice::cli
