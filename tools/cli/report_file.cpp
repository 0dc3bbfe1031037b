#include "report_file.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "sluice/error.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;

// A thousand tensors and a thousand samples make half a megabyte.
constexpr std::uintmax_t kLargestReport = std::uintmax_t{256} << 20;

/// Takes values out of a report and says where one is wrong.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(
        ErrorCode::input_format, "is not a report of sluice: " + what,
        {.file = file_, .cure = "Name the JSON file that 'sluice quantize --report' wrote"});
  }

  /// A number that is not negative; none if it is missing or null.
  std::optional<double> number(const Json& object, const std::string& key) const {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return std::nullopt;
    if (!found->is_number()) fail(fmt::format("'{}' is not a number", key));
    const double value = found->get<double>();
    if (!std::isfinite(value) || value < 0) fail(fmt::format("'{}' is negative", key));
    return value;
  }

  std::string text(const Json& object, const std::string& key) const {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return {};
    if (!found->is_string()) fail(fmt::format("'{}' is not a text", key));
    return found->get<std::string>();
  }

  /// The elements of an array, which are objects.
  const Json& objects(const Json& object, const std::string& key) const {
    static const Json kNone = Json::array();
    const auto found = object.find(key);
    if (found == object.end()) return kNone;
    if (!found->is_array()) fail(fmt::format("'{}' is not a list", key));
    for (const Json& element : *found) {
      if (!element.is_object()) fail(fmt::format("'{}' holds something else than objects", key));
    }
    return *found;
  }

 private:
  const std::string& file_;
};

ReportedTensor tensor_of(const Json& json, const Reader& reader) {
  ReportedTensor tensor{.name = reader.text(json, "name"),
                        .source = reader.text(json, "source"),
                        .type = reader.text(json, "type"),
                        .bytes = reader.number(json, "bytes").value_or(0),
                        .weighted_error = reader.number(json, "weighted_error"),
                        .plain_error = reader.number(json, "plain_error")};
  if (tensor.name.empty()) reader.fail("a tensor has no name");
  if (const auto shape = json.find("shape"); shape != json.end()) {
    if (!shape->is_array()) reader.fail("'shape' is not a list");
    tensor.weights = 1;
    for (const Json& extent : *shape) {
      if (!extent.is_number_unsigned()) reader.fail("'shape' holds something else than numbers");
      tensor.weights *= extent.get<double>();
    }
    if (!std::isfinite(tensor.weights)) reader.fail("'shape' is too large");
  }
  return tensor;
}

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
  ReportedRun run;
  run.file = path;
  run.wall_s = reader.number(json, "wall_s");
  run.read_bytes = reader.number(json, "read_bytes");
  run.read_s = reader.number(json, "read_s");
  run.write_bytes = reader.number(json, "write_bytes");
  run.write_s = reader.number(json, "write_s");
  run.compute_s = reader.number(json, "compute_s");
  run.wait_disk_s = reader.number(json, "wait_disk_s");
  run.wait_cores_s = reader.number(json, "wait_cores_s");
  run.wait_budget_s = reader.number(json, "wait_budget_s");
  run.workers_busy = reader.number(json, "workers_busy");
  run.resumed_bytes = reader.number(json, "resumed_bytes");
  run.peak_anon_bytes = reader.number(json, "peak_anon_bytes");
  run.threads = reader.number(json, "threads");
  run.io = reader.text(json, "io");
  run.spindle = reader.text(json, "spindle");
  run.spindle_reason = reader.text(json, "spindle_reason");
  run.isa = reader.text(json, "isa");
  for (const Json& tensor : reader.objects(json, "tensors")) {
    run.tensors.push_back(tensor_of(tensor, reader));
  }
  for (const Json& sample : reader.objects(json, "samples")) {
    run.samples.push_back({.time_s = reader.number(sample, "t").value_or(0),
                           .read = reader.number(sample, "read").value_or(0),
                           .written = reader.number(sample, "written").value_or(0),
                           .limit = reader.text(sample, "limit")});
  }
  return run;
}

}  // namespace sluice::cli
