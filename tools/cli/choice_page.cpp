#include "choice_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "run_figures.h"
#include "sluice/amounts.h"
#include "sluice/tensor_type.h"

namespace sluice::cli {
namespace {

double bytes_of(const nlohmann::json& point) {
  return point["bytes"].get<double>();
}

double divergence_of(const nlohmann::json& point) {
  return point["divergence"].get<double>();
}

std::string nats(double divergence) {
  return fmt::format("{:.3g}", divergence);
}

double bits_per_weight(const std::string& type) {
  const TensorTypeInfo* found = find_tensor_type(type);
  if (found == nullptr) return 0;
  return 8.0 * found->block_bytes / found->block_elements;
}

std::string chosen_type(const nlohmann::json& tensor) {
  return tensor["types"][tensor["chosen"].get<std::size_t>()]["type"];
}

/// How many tensors got each type.
std::map<std::string, std::size_t> counts_of(const nlohmann::json& choice) {
  std::map<std::string, std::size_t> counts;
  for (const nlohmann::json& tensor : choice["tensors"]) ++counts[chosen_type(tensor)];
  return counts;
}

/// The types of a choice by rising bits of a weight.
std::vector<std::string> types_by_bits(const std::map<std::string, std::size_t>& counts) {
  std::vector<std::string> types;
  for (const auto& [type, count] : counts) types.push_back(type);
  std::ranges::stable_sort(types, {}, bits_per_weight);
  return types;
}

/// The best choice that is no larger than a mix; null if each is.
const nlohmann::json* best_within(const nlohmann::json& choice, const nlohmann::json& mix) {
  const nlohmann::json* best = nullptr;
  for (const nlohmann::json& point : choice["frontier"]) {
    if (bytes_of(point) <= bytes_of(mix) &&
        (best == nullptr || divergence_of(point) < divergence_of(*best)))
      best = &point;
  }
  return best;
}

std::string beside_mix(const nlohmann::json& choice, const nlohmann::json& mix) {
  const nlohmann::json* best = best_within(choice, mix);
  const std::string foretold =
      fmt::format("{} at {}", nats(divergence_of(mix)), bytes_text(bytes_of(mix)));
  if (best == nullptr) return foretold + "; no choice is as small";
  return fmt::format("{}; {} for the best choice of that size", foretold,
                     nats(divergence_of(*best)));
}

/// The default mix whose size is nearest; null if there is none.
const nlohmann::json* nearest_mix(const nlohmann::json& choice) {
  const nlohmann::json& mixes = choice["mixes"];
  const auto apart = [&](const nlohmann::json& mix) {
    return std::abs(std::log(std::max(1.0, bytes_of(mix)) / std::max(1.0, bytes_of(choice))));
  };
  const auto nearest = std::ranges::min_element(mixes, {}, apart);
  return nearest == mixes.end() ? nullptr : &*nearest;
}

KeyFigure tensor_figure(const nlohmann::json& choice) {
  const std::map<std::string, std::size_t> counts = counts_of(choice);
  std::string types;
  for (const std::string& type : types_by_bits(counts))
    types += fmt::format("{}{} × {}", types.empty() ? "" : ", ", counts.at(type), type);
  return {"Tensors", {{"", fmt::format("{}", choice["tensors"].size()), types}}};
}

}  // namespace

std::vector<KeyFigure> choice_figures(const nlohmann::json& choice) {
  std::vector<KeyFigure> figures = {
      {"Foretold divergence",
       {{"", nats(divergence_of(choice)), "nats, mean KL divergence of a token"}}}};
  if (const nlohmann::json* mix = nearest_mix(choice)) {
    figures.push_back(
        {"Nearest default mix", {{"", text_in(*mix, "name"), beside_mix(choice, *mix)}}});
  }
  return figures;
}

std::vector<Fact> choice_facts(const nlohmann::json& choice,
                               const std::vector<MeasuredFile>& measured) {
  std::vector<Fact> facts = {{"measured", {text_in(choice, "measured")}},
                             {"measurements", {text_in(choice, "file")}}};
  for (const nlohmann::json& mix : choice["mixes"])
    facts.push_back({text_in(mix, "name") + ", default mix", {beside_mix(choice, mix)}});
  for (const MeasuredFile& file : measured) {
    facts.push_back({file.name + ", measured",
                     {fmt::format("{} at {}", nats(file.divergence),
                                  bytes_text(static_cast<double>(file.bytes)))}});
  }
  return facts;
}

nlohmann::json choice_data(const nlohmann::json& choice,
                           const std::vector<MeasuredFile>& measured) {
  nlohmann::json points = nlohmann::json::array();
  for (const MeasuredFile& file : measured)
    points.push_back({{"name", file.name}, {"bytes", file.bytes}, {"divergence", file.divergence}});
  return {{"mix", choice}, {"types", types_by_bits(counts_of(choice))}, {"measured", points}};
}

Page choice_page(const nlohmann::json& choice, const std::string& label,
                 const std::vector<MeasuredFile>& measured) {
  Page page{
      .title = fmt::format("{} in {}", label, bytes_text(bytes_of(choice))),
      .lead = {"The types with the least divergence from the model that is foretold for a "
               "file of this size."},
      .figures = {{"Size", {{"", bytes_text(bytes_of(choice)), ""}}}},
      .columns = {},
      .facts = choice_facts(choice, measured),
      .data = {{"page", "choice"}, {"label", label}, {"choice", choice_data(choice, measured)}}};
  for (KeyFigure& figure : choice_figures(choice)) page.figures.push_back(std::move(figure));
  if (!choice["tensors"].empty()) page.figures.push_back(tensor_figure(choice));
  return page;
}

}  // namespace sluice::cli
