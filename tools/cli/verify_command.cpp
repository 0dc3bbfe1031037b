#include "verify_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "console.h"
#include "progress.h"
#include "reports.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "sluice/json.h"
#include "stop.h"
#include "text.h"

namespace sluice::cli {
namespace {

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
  std::string text = fmt::format("{}: good, {}\n", printable(options.output),
                                 counted(report.tensors.size(), "tensor"));
  for (const auto& [type, total] : types) {
    text += fmt::format("  {:<7}  {:>13}  {:>10}{}\n", type, counted(total.tensors, "tensor"),
                        bytes_text(static_cast<double>(total.bytes)),
                        options.against.empty() ? ""
                        : total.most == 0
                            ? "  copied"
                            : fmt::format("  error {:.2g} to {:.2g}", total.least, total.most));
  }
  text += fmt::format("  read {} in {}\n", bytes_text(static_cast<double>(report.read_bytes)),
                      time_text(report.wall_s));
  console::summary(text);
}

void print_bad(const VerifyOptions& options, const VerifyReport& report) {
  constexpr std::size_t kMostShown = 20;
  std::string text = fmt::format("{}: damaged, {}\n", printable(options.output),
                                 counted(report.findings_in_all, "finding"));
  for (std::size_t i = 0; i < std::min(kMostShown, report.findings.size()); ++i) {
    const Finding& finding = report.findings[i];
    text += fmt::format("  {}{}\n", finding.tensor.empty() ? "" : printable(finding.tensor) + ": ",
                        printable(finding.what));
  }
  if (report.findings_in_all > kMostShown) {
    text += fmt::format("  ... and {} more\n", report.findings_in_all - kMostShown);
  }
  const bool by_error =
      std::any_of(report.findings.begin(), report.findings.end(),
                  [](const Finding& finding) { return finding.fault == Fault::error; });
  if (by_error && options.imatrix.empty()) {
    text += fmt::format(
        "If it was made with an importance matrix, pass that as --imatrix for a last word\n");
  }
  text += fmt::format(
      "Copy or make the file again, and check the memory and the disk if this recurs\n");
  console::result(text);
}

}  // namespace

int run_verify(const VerifyOptions& options, const std::string& report_file) {
  catch_stop_signals();
  ProgressDisplay display;
  const VerifyReport report = verify(options, display);
  display.end();
  if (!report_file.empty()) write_text(to_json(report), report_file);
  report.good() ? print_good(options, report) : print_bad(options, report);
  return report.good() ? 0 : exit_status(ErrorCode::output_damaged);
}

}  // namespace sluice::cli
