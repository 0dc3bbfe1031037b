#include "compare_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sluice/amounts.h"
#include "sluice/json.h"
#include "text.h"

namespace sluice::cli {
namespace {

KeyFigure::Value size_of_side(const Comparison& comparison, const std::string& label,
                              std::optional<ComparedSide> ComparedTensor::*side) {
  double bytes = 0;
  std::size_t tensors = 0;
  for (const ComparedTensor& tensor : comparison.tensors) {
    if (!(tensor.*side)) continue;
    bytes += static_cast<double>((tensor.*side)->bytes);
    ++tensors;
  }
  return {label, bytes_text(bytes), counted(tensors, "tensor")};
}

}  // namespace

Page compare_page(const CompareOptions& options, const Comparison& comparison) {
  const auto base = [](const std::string& path) {
    return std::filesystem::path(path).filename().string();
  };
  const bool one_name = base(options.a) == base(options.b);
  const std::string a = one_name ? options.a : base(options.a);
  const std::string b = one_name ? options.b : base(options.b);
  std::size_t equal = 0;
  std::size_t apart = 0;
  const ComparedTensor* worst = nullptr;
  for (const ComparedTensor& tensor : comparison.tensors) {
    if (!tensor.compared()) ++apart;
    if (tensor.differing_bytes == 0 || (tensor.difference && tensor.difference->error == 0))
      ++equal;
    if (tensor.difference &&
        (worst == nullptr || tensor.difference->error > worst->difference->error)) {
      worst = &tensor;
    }
  }
  const std::size_t differ = comparison.tensors.size() - equal - apart;
  const std::string verdict =
      comparison.identical()
          ? "All tensors are the same, byte for byte."
          : fmt::format("Of {}, {} differ{}, {} are the same{}.",
                        counted(comparison.tensors.size(), "tensor"), differ,
                        differ == 1 ? "s" : "", equal,
                        apart > 0 ? fmt::format(", and {} could not be compared", apart) : "");
  Page page{.title = b + " compared with " + a,
            .lead = {verdict},
            .figures = {},
            .columns = {},
            .facts = {{"a, what errors are relative to", {options.a}},
                      {"b", {options.b}},
                      {"read", {bytes_text(static_cast<double>(comparison.read_bytes))}},
                      {"time", {time_text(comparison.wall_s)}},
                      {"threads", {fmt::format("{}", comparison.threads)}},
                      {"kernels", {comparison.isa}},
                      {"how it was read", {comparison.io}}},
            .data = {{"page", "compare"},
                     {"labels", {a, b}},
                     {"comparison", nlohmann::json::parse(to_json(comparison))}}};
  if (comparison.total_error) {
    page.figures.push_back({"Total error",
                            {{"", fmt::format("{:.4g}", comparison.total_error->plain),
                              "over all weights of the tensors that differ"}}});
  }
  if (worst != nullptr) {
    page.figures.push_back({"Largest error of a tensor",
                            {{"", fmt::format("{:.4g}", worst->difference->error), worst->name}}});
  }
  page.figures.push_back({"Size",
                          {size_of_side(comparison, "a", &ComparedTensor::a),
                           size_of_side(comparison, "b", &ComparedTensor::b)}});
  return page;
}

}  // namespace sluice::cli
