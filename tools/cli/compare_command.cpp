#include "compare_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compare_page.h"
#include "html_page.h"
#include "progress.h"
#include "reports.h"
#include "sluice/json.h"
#include "text.h"
#include "validators.h"

namespace sluice::cli {
namespace {

void print_table(const Comparison& comparison) {
  std::size_t width = 4;
  for (const ComparedTensor& tensor : comparison.tensors) {
    width = std::max(width, printable(tensor.name).size());
  }
  fmt::print("{:<{}}  {:<8}  {:<8}  {:>10}  {:>10}  {:>10}  {}\n", "name", width, "a", "b", "error",
             "cosine", "largest", "differing bytes");
  for (const ComparedTensor& tensor : comparison.tensors) {
    const auto type = [](const std::optional<ComparedSide>& side) {
      return side ? name(side->type) : std::string_view("-");
    };
    fmt::print("{:<{}}  {:<8}  {:<8}  ", printable(tensor.name), width, type(tensor.a),
               type(tensor.b));
    if (!tensor.compared()) {
      fmt::print("{}\n", tensor.why_not);
      continue;
    }
    const std::string bytes =
        tensor.differing_bytes ? fmt::format("  {}", *tensor.differing_bytes) : std::string();
    if (tensor.difference) {
      fmt::print("{:>10.4g}  {:>10.6f}  {:>10.4g}{}{}\n", tensor.difference->error,
                 tensor.difference->cosine, tensor.difference->max_absolute, bytes,
                 tensor.difference->not_finite > 0
                     ? fmt::format("  {} not finite", tensor.difference->not_finite)
                     : "");
    } else {
      fmt::print("{:>10}  {:>10}  {:>10}{}\n", "-", "-", "-", bytes);
    }
  }
}

void print_verdict(const Comparison& comparison) {
  const auto apart = std::count_if(comparison.tensors.begin(), comparison.tensors.end(),
                                   [](const ComparedTensor& tensor) { return !tensor.compared(); });
  fmt::print("\n{} tensors, {} read in {}: {}\n", comparison.tensors.size(),
             bytes_text(static_cast<double>(comparison.read_bytes)), time_text(comparison.wall_s),
             comparison.identical() ? "all the same, byte for byte"
             : apart == 0           ? "all compared"
                                    : fmt::format("{} could not be compared", apart));
}

// No error is above a bound that is no number.
std::string require_bound(const std::string& text) {
  double bound = 0;
  const bool good = CLI::detail::lexical_cast(text, bound) && std::isfinite(bound) && bound >= 0;
  return good ? "" : "needs a number from 0 on, as 0.01";
}

bool too_far(const CompareArguments& arguments, const Comparison& comparison) {
  return arguments.max_error &&
         std::any_of(comparison.tensors.begin(), comparison.tensors.end(),
                     [&](const ComparedTensor& tensor) {
                       return tensor.difference &&
                              (tensor.difference->error > *arguments.max_error ||
                               tensor.difference->not_finite > 0);
                     });
}

}  // namespace

void add_compare_arguments(CLI::App& command, CompareArguments& arguments) {
  CompareOptions& options = arguments.options;
  command.add_option("a", options.a, "GGUF file that errors are relative to: the better one")
      ->required();
  command.add_option("b", options.b, "GGUF file to compare with it")->required();
  command.add_option("--threads", options.threads, "Threads (default: one a core)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--memory", options.memory, "Byte budget for all buffers (default: 512M)")
      ->transform(CLI::AsSizeValue(false))
      ->transform(begins_with_digit());
  command
      .add_option("--max-error", arguments.max_error,
                  "Exit with 1 if a tensor has a larger relative squared error, or NaN")
      ->check(CLI::Validator(require_bound, ""));
  command.add_option("--html", arguments.page, "Write a page to look at to this file");
  command.add_flag("--json", arguments.json, "As JSON");
  command.footer(
      "Exit status: 0 if both have the same tensors and all could be compared, however much they "
      "differ; 1 if not, or if a tensor's error is above --max-error.");
}

int run_compare(const CompareArguments& arguments) {
  ProgressDisplay display;
  const Comparison comparison = compare(arguments.options, display);
  display.end();
  if (arguments.json) {
    print_json(to_json(comparison));
  } else {
    print_table(comparison);
    print_verdict(comparison);
  }
  if (!arguments.page.empty()) {
    write_page(compare_page(arguments.options, comparison), arguments.page);
  }
  return comparison.complete() && !too_far(arguments, comparison) ? 0 : 1;
}

}  // namespace sluice::cli
