#include "compare_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include "error_charts.h"
#include "html_page.h"
#include "text.h"

namespace sluice::cli {
namespace {

std::string types_text(const ComparedTensor& tensor) {
  const auto side = [](const std::optional<ComparedSide>& one) {
    return one ? std::string(name(one->type)) : std::string("–");
  };
  return side(tensor.a) + " → " + side(tensor.b);
}

std::string pictures(const Comparison& comparison) {
  std::vector<ErrorPoint> points;
  std::size_t equal = 0;
  for (const ComparedTensor& tensor : comparison.tensors) {
    if (!tensor.difference) continue;
    if (tensor.difference->error == 0) ++equal;
    points.push_back({.name = tensor.name,
                      .place = place_of(tensor.name),
                      .type = types_text(tensor),
                      .error = tensor.difference->error});
  }
  ErrorScale scale;
  scale.include(points);
  if (scale.empty()) return "<p>No tensor differs in its weights.</p>\n";
  const std::string left_out =
      equal > 0 ? fmt::format(" {} tensors of equal weights are not shown.", equal) : "";
  return "<h2>Error of each tensor</h2>\n<p>sum (a − b)² / sum a², lower is nearer." + left_out +
         "</p>\n<div class=\"panel\">" + error_legend(points) +
         error_by_layer(points, scale, "Error of each tensor by layer") +
         "</div>\n<h2>Error by kind of tensor and layer</h2>\n<p>Each colour stands for as many "
         "tensors.</p>\n" +
         error_map_legend(scale) + "<div class=\"panel\">" +
         error_map(points, scale, "Error by kind of tensor and layer") + "</div>\n";
}

std::string table(const Comparison& comparison) {
  std::string rows;
  for (const ComparedTensor& tensor : comparison.tensors) {
    rows += "<tr><td>" + escaped(tensor.name) + "</td><td>" + escaped(types_text(tensor)) + "</td>";
    if (tensor.difference) {
      rows += fmt::format("<td>{:.4g}</td><td>{:.6f}</td><td>{:.4g}</td>", tensor.difference->error,
                          tensor.difference->cosine, tensor.difference->max_absolute);
    } else {
      rows += fmt::format("<td class=\"text\" colspan=\"3\">{}</td>",
                          escaped(tensor.compared() ? "compared byte by byte" : tensor.why_not));
    }
    rows += fmt::format("<td>{}</td></tr>\n", tensor.differing_bytes
                                                  ? fmt::format("{}", *tensor.differing_bytes)
                                                  : std::string());
  }
  return "<h2>All tensors</h2>\n<div class=\"panel scroll\"><table><thead><tr><th>tensor</th>"
         "<th>types</th><th>error</th><th>cosine</th><th>largest difference</th>"
         "<th>differing bytes</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody></table></div>\n";
}

}  // namespace

std::string compare_page(const CompareOptions& options, const Comparison& comparison) {
  const auto base = [](const std::string& path) {
    return std::filesystem::path(path).filename().string();
  };
  const auto apart = static_cast<std::size_t>(
      std::count_if(comparison.tensors.begin(), comparison.tensors.end(),
                    [](const ComparedTensor& tensor) { return !tensor.compared(); }));
  const std::string title = base(options.a) + " and " + base(options.b);
  const std::string verdict = comparison.identical() ? "All tensors are the same, byte for byte."
                              : apart == 0
                                  ? "Both have the same tensors."
                                  : fmt::format("{} tensors could not be compared.", apart);
  return html_page(
      "sluice: " + title,
      "<h1>" + escaped(title) + "</h1>\n<p>" +
          fmt::format("{} tensors, {} read. {}", comparison.tensors.size(),
                      bytes_text(static_cast<double>(comparison.read_bytes)), verdict) +
          "</p>\n" + pictures(comparison) + table(comparison));
}

}  // namespace sluice::cli
