#include "compare_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compare_page.h"
#include "error_text.h"
#include "progress.h"
#include "reports.h"
#include "sluice/amounts.h"
#include "sluice/json.h"
#include "stop.h"
#include "text.h"

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
  fmt::print("\n{}, {} read in {}: {}\n", counted(comparison.tensors.size(), "tensor"),
             bytes_text(static_cast<double>(comparison.read_bytes)), time_text(comparison.wall_s),
             comparison.identical() ? "all the same, byte for byte"
             : apart == 0           ? "all compared"
                                    : fmt::format("{} could not be compared", apart));
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

int run_compare(const CompareArguments& arguments) {
  catch_stop_signals();
  ProgressDisplay display;
  const Comparison comparison = compare(arguments.options, display);
  display.end();
  if (arguments.json) {
    print_json(to_json(comparison));
  } else {
    print_table(comparison);
    print_verdict(comparison);
    fmt::print("{}", error_text(comparison));
  }
  if (!arguments.page.empty()) {
    write_page(compare_page(arguments.options, comparison), arguments.page);
  }
  return comparison.complete() && !too_far(arguments, comparison) ? 0 : 1;
}

}  // namespace sluice::cli
