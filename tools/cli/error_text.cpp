#include "error_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "text.h"

namespace sluice::cli {
namespace {

/// Lines of a name and what is said of it, in columns.
std::string worst_text(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::size_t width = 0;
  for (const auto& [name, text] : lines) width = std::max(width, name.size());
  std::string result;
  for (const auto& [name, text] : lines) {
    result += fmt::format("  {:<7} {:<{}}  {}\n", result.empty() ? "worst" : "", name, width, text);
  }
  return result;
}

// What the sums go over: less than all where an earlier run made tensors, or a part of them.
std::string coverage_text(const TotalError& total) {
  if (total.measured_weights == total.weights) {
    return fmt::format("all {} quantized weights", count_text(static_cast<double>(total.weights)));
  }
  const double share =
      static_cast<double>(total.measured_weights) / static_cast<double>(total.weights);
  return fmt::format("{:.1f} % of the {} quantized weights; an earlier run made the rest",
                     std::min(99.9, 100 * share), count_text(static_cast<double>(total.weights)));
}

}  // namespace

std::string error_text(const RunReport& report) {
  const bool quantized = std::ranges::any_of(
      report.tensors, [](const TensorReport& tensor) { return tensor.source != tensor.type; });
  if (!quantized) return "";
  if (!report.total_error) {
    return "  error   not measured: --report and --verify do that\n";
  }
  std::vector<std::pair<std::string, std::string>> worst;
  for (const std::string& name : report.worst) {
    const auto tensor = std::ranges::find(report.tensors, name, &TensorReport::name);
    worst.emplace_back(printable(name),
                       fmt::format("{:>8.4g} weighted  {:>8.4g} plain  {}", tensor->weighted_error,
                                   tensor->plain_error, sluice::name(tensor->type)));
  }
  const TotalError& total = *report.total_error;
  return fmt::format("  error   {:.4g} weighted, {:.4g} plain, over {}\n", total.weighted,
                     total.plain, coverage_text(total)) +
         worst_text(worst);
}

std::string error_text(const Comparison& comparison) {
  if (!comparison.total_error) return "";
  std::vector<std::pair<std::string, std::string>> worst;
  for (const std::string& name : comparison.worst) {
    const auto tensor = std::ranges::find(comparison.tensors, name, &ComparedTensor::name);
    worst.emplace_back(printable(name),
                       fmt::format("{:>8.4g}  {} to {}", tensor->difference->error,
                                   sluice::name(tensor->a->type), sluice::name(tensor->b->type)));
  }
  const TotalError& total = *comparison.total_error;
  const std::string weights = count_text(static_cast<double>(total.measured_weights));
  return fmt::format("  error   {:.4g} over the {} weights of all tensors that differ{}\n",
                     total.plain, weights,
                     total.measured_weights == total.weights
                         ? ""
                         : fmt::format(" and could be compared, of {}",
                                       count_text(static_cast<double>(total.weights)))) +
         worst_text(worst);
}

}  // namespace sluice::cli
