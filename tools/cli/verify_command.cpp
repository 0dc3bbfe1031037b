#include "verify_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "progress.h"
#include "reports.h"
#include "sluice/error.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

Json finding_json(const Finding& finding) {
  Json json = {{"fault", name(finding.fault)}, {"file", finding.file}, {"what", finding.what}};
  if (!finding.tensor.empty()) json["tensor"] = finding.tensor;
  if (finding.rows) {
    json["expert"] = finding.rows->expert;
    json["first_row"] = finding.rows->first;
    json["last_row"] = finding.rows->last;
  }
  if (finding.size > 0) {
    json["offset"] = finding.offset;
    json["size"] = finding.size;
  }
  if (finding.fault == Fault::error) {
    json["error"] = finding.error;
    json["limit"] = finding.limit;
  }
  return json;
}

Json report_json(const VerifyReport& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) findings.push_back(finding_json(finding));
  Json tensors = Json::array();
  for (const VerifiedTensor& tensor : report.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"type", name(tensor.type)},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes},
                       {"crc32", checksum_text(tensor.crc32)},
                       {"bad_regions", tensor.bad_regions},
                       {"plain_error", number_or_null(tensor.plain_error)}});
  }
  return {{"good", report.good()},           {"findings_in_all", report.findings_in_all},
          {"findings", std::move(findings)}, {"read_bytes", report.read_bytes},
          {"wall_s", report.wall_s},         {"tensors", std::move(tensors)}};
}

void print_good(const VerifyOptions& options, const VerifyReport& report) {
  struct Total {
    std::size_t tensors = 0;
    std::uint64_t bytes = 0;
    double least = HUGE_VAL;
    double most = 0;
  };
  std::map<std::string_view, Total> types;
  for (const VerifiedTensor& tensor : report.tensors) {
    Total& total = types[name(tensor.type)];
    ++total.tensors;
    total.bytes += tensor.bytes;
    if (std::isfinite(tensor.plain_error)) {
      total.least = std::min(total.least, tensor.plain_error);
      total.most = std::max(total.most, tensor.plain_error);
    }
  }
  fmt::print("{}: good, {} tensors\n", printable(options.output), report.tensors.size());
  for (const auto& [type, total] : types) {
    fmt::print("  {:<7}  {:>5} tensors  {:>10}{}\n", type, total.tensors,
               bytes_text(static_cast<double>(total.bytes)),
               options.against.empty() ? ""
               : total.most == 0
                   ? "  copied"
                   : fmt::format("  error {:.2g} to {:.2g}", total.least, total.most));
  }
  fmt::print("  read {} in {}\n", bytes_text(static_cast<double>(report.read_bytes)),
             time_text(report.wall_s));
}

void print_bad(const VerifyOptions& options, const VerifyReport& report) {
  constexpr std::size_t kMostShown = 20;
  fmt::print("{}: damaged, {} findings\n", printable(options.output), report.findings_in_all);
  for (std::size_t i = 0; i < std::min(kMostShown, report.findings.size()); ++i) {
    const Finding& finding = report.findings[i];
    fmt::print("  {}{}\n", finding.tensor.empty() ? "" : printable(finding.tensor) + ": ",
               printable(finding.what));
  }
  if (report.findings_in_all > kMostShown) {
    fmt::print("  ... and {} more\n", report.findings_in_all - kMostShown);
  }
  const bool by_error =
      std::any_of(report.findings.begin(), report.findings.end(),
                  [](const Finding& finding) { return finding.fault == Fault::error; });
  if (by_error && options.imatrix.empty()) {
    fmt::print(
        "If it was made with an importance matrix, pass that as --imatrix for a last word\n");
  }
  fmt::print("Copy or make the file again, and check the memory and the disk if this recurs\n");
}

}  // namespace

int run_verify(const VerifyOptions& options, const std::string& report_file) {
  ProgressDisplay display;
  const VerifyReport report = verify(options, display);
  display.end();
  report.good() ? print_good(options, report) : print_bad(options, report);
  if (!report_file.empty()) write_json(report_json(report), report_file);
  return report.good() ? 0 : exit_status(ErrorCode::output_damaged);
}

}  // namespace sluice::cli
