#include "reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <fstream>
#include <functional>
#include <numeric>

#include "choice_text.h"
#include "console.h"
#include "error_text.h"
#include "side_files.h"
#include "sluice/error.h"
#include "text.h"

namespace sluice::cli {
namespace {

// A character outside of ASCII, or DEL, as JSON escapes it: in UTF-16, of which it needs one or two.
std::string escaped(char32_t character) {
  if (character < 0x10000) return fmt::format("\\u{:04x}", std::uint32_t{character});
  const std::uint32_t bits = character - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (bits >> 10), 0xdc00 + (bits & 0x3ff));
}

}  // namespace

void write_text(const std::string& text, const std::string& path, const std::string& role) {
  refuse_model(path, role);  // as parts of the output are, which were not there before
  std::ofstream file(path);
  if (!file) {
    throw Error(ErrorCode::output_open, role + " cannot be created",
                {.file = path, .cure = "Name a folder that exists and that you may write to"});
  }
  file << text;
  file.flush();
  if (!file) {
    throw Error(ErrorCode::output_write, role + " cannot be written",
                {.file = path, .cure = "Check the disk and its free space"});
  }
}

void print_json(std::string_view json) {
  std::string ascii;
  for (std::size_t i = 0; i < json.size();) {
    const auto lead = static_cast<unsigned char>(json[i++]);
    if (lead < 0x7f) {
      ascii += static_cast<char>(lead);
      continue;
    }
    // The leading byte's ones are as many as the character has bytes.
    const int length = lead == 0x7f ? 1 : std::countl_one(lead);
    char32_t character = lead & (0x7f >> (length == 1 ? 0 : length));
    for (int k = 1; k < length; ++k) character = (character << 6) | (json[i++] & 0x3f);
    ascii += escaped(character);
  }
  console::result(ascii);
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
  if (report.mix) text += "  choice  " + choice_text(*report.mix) + "\n";
  if (!report.substituted.empty()) text += "  types   " + report.substituted + "\n";
  if (report.resumed_bytes > 0) {
    text += fmt::format("  resumed {} of it were made by an earlier run\n",
                        bytes_text(static_cast<double>(report.resumed_bytes)));
  }
  text += error_text(report);
  text += fmt::format("  time    {} wall, {} reading, {} writing, {} computing on {}\n",
                      time_text(report.wall_s), time_text(report.read_s), time_text(report.write_s),
                      time_text(report.compute_s), thread_text(report.threads));
  text += fmt::format(
      "  rate    {} weights/s ({} kernels), {}/s read ({}{})\n", count_text(rate), report.isa,
      bytes_text(static_cast<double>(report.read_bytes) / std::max(1e-9, report.wall_s)), report.io,
      report.cached_bytes == 0 ? ""
                               : fmt::format(", {} from the page cache",
                                             bytes_text(static_cast<double>(report.cached_bytes))));
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
