#include "reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "console.h"
#include "side_files.h"
#include "sluice/error.h"
#include "sluice/json.h"
#include "text.h"

namespace sluice::cli {
namespace {

// Keys in the order in which they are documented.
using Json = nlohmann::ordered_json;

Json parts_json(std::span<const PartReport> parts) {
  Json json = Json::array();
  for (const PartReport& part : parts) {
    json.push_back({{"file", part.file}, {"bytes", part.bytes}, {"tensors", part.tensors}});
  }
  return json;
}

}  // namespace

void write_text(const std::string& text, const std::string& path) {
  refuse_model(path, "the report");  // as parts of the output are, which were not there before
  std::ofstream file(path);
  if (!file) {
    throw Error(ErrorCode::output_open, "the report cannot be created",
                {.file = path, .cure = "Name a folder that exists and that you may write to"});
  }
  file << text;
  file.flush();
  if (!file) {
    throw Error(ErrorCode::output_write, "the report cannot be written",
                {.file = path, .cure = "Check the disk and its free space"});
  }
}

void write_json(const Json& json, const std::string& path) {
  write_text(json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n', path);
}

void print_json(const Json& json) {
  console::result(json.dump(1, ' ', true, Json::error_handler_t::replace) + '\n');
}

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

std::string checksum_text(std::uint32_t crc32) {
  return fmt::format("{:#010x}", crc32);
}

void write_report(const RunReport& report, const std::string& path) {
  Json tensors = Json::array();
  for (const TensorReport& tensor : report.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"source", name(tensor.source)},
                       {"type", name(tensor.type)},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes},
                       {"crc32", checksum_text(tensor.crc32)},
                       {"weighted_error", number_or_null(tensor.weighted_error)},
                       {"plain_error", number_or_null(tensor.plain_error)}});
  }
  Json samples = Json::array();
  for (const Sample& sample : report.samples) {
    samples.push_back({{"t", sample.time_s},
                       {"read", sample.read_bytes},
                       {"written", sample.written_bytes},
                       {"weights", sample.weights},
                       {"limit", name(sample.limit)}});
  }
  const Json json = {{"wall_s", report.wall_s},
                     {"read_bytes", report.read_bytes},
                     {"read_s", report.read_s},
                     {"write_bytes", report.write_bytes},
                     {"write_s", report.write_s},
                     {"compute_s", report.compute_s},
                     {"wait_disk_s", report.wait_disk_s},
                     {"wait_cores_s", report.wait_cores_s},
                     {"wait_budget_s", report.wait_budget_s},
                     {"workers_busy", report.workers_busy},
                     {"resumed_bytes", report.resumed_bytes},
                     {"peak_anon_bytes", report.peak_anon_bytes},
                     {"io", report.io},
                     {"spindle", report.shared_spindle ? "shared" : "separate"},
                     {"spindle_reason", report.spindle},
                     {"isa", report.isa},
                     {"threads", report.threads},
                     {"parts", parts_json(report.parts)},
                     {"tensors", std::move(tensors)},
                     {"samples", std::move(samples)}};
  write_json(json, path);
}

void print_summary(const RunReport& report) {
  std::uint64_t data = 0;
  for (const TensorReport& tensor : report.tensors) data += tensor.bytes;
  std::uint64_t source = 0;
  std::uint64_t weights = 0;
  for (const TensorReport& tensor : report.tensors) {
    source += tensor.source_bytes;
    weights += std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1},
                               std::multiplies<>());
  }
  const double rate = static_cast<double>(report.weights) / std::max(1e-9, report.wall_s);
  std::string text;
  for (const PartReport& part : report.parts) {
    text += printable(part.file);
    if (report.parts.size() > 1) text += "  " + bytes_text(static_cast<double>(part.bytes));
    text += "\n";
  }
  text +=
      fmt::format("  size    {} from {}, {:.3f} bits per weight ({} weights)\n",
                  bytes_text(static_cast<double>(data)), bytes_text(static_cast<double>(source)),
                  bits_of(data, weights), count_text(static_cast<double>(weights)));
  if (report.resumed_bytes > 0) {
    text += fmt::format("  resumed {} of it were made by an earlier run\n",
                        bytes_text(static_cast<double>(report.resumed_bytes)));
  }
  text += fmt::format("  time    {} wall, {} reading, {} writing, {} computing on {} threads\n",
                      time_text(report.wall_s), time_text(report.read_s), time_text(report.write_s),
                      time_text(report.compute_s), report.threads);
  text += fmt::format(
      "  rate    {} weights/s ({} kernels), {}/s read ({})\n", count_text(rate), report.isa,
      bytes_text(static_cast<double>(report.read_bytes) / std::max(1e-9, report.wall_s)),
      report.io);
  const double waits =
      std::max(1e-9, report.wait_disk_s + report.wait_cores_s + report.wait_budget_s);
  text += fmt::format("  limit   {:.0f} % of the time the disk, {:.0f} % cores, {:.0f} % memory\n",
                      100 * report.wait_disk_s / waits, 100 * report.wait_cores_s / waits,
                      100 * report.wait_budget_s / waits);
  text += fmt::format("  memory  {} at most\n",
                      bytes_text(static_cast<double>(report.peak_anon_bytes)));
  console::summary(text);
}

}  // namespace sluice::cli
