#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mix/name_pattern.h"
#include "recipe/tensor_kind.h"
#include "sluice/amounts.h"
#include "sluice/mix.h"

namespace sluice {
namespace {

/// Tensors of one type whose names differ by their layers.
struct LayerRule {
  std::string before;  ///< the layer's number in the name
  std::string after;
  std::vector<int> layers;  ///< none: the name has no number
  bool all_layers = false;  ///< that there are such tensors in
  std::vector<std::size_t> tensors;
  TensorType type{};
};

const TypeCost& chosen_type(const TensorChoice& tensor) {
  return tensor.types[tensor.chosen];
}

bool has_rule(const TensorChoice& tensor) {
  return !tensor.kept && !recipe::is_router(tensor.name);
}

/// A name's text around the layer's number; all of it before, if there is none.
using Kind = std::pair<std::string, std::string>;
Kind around_layer(const std::string& name) {
  constexpr std::size_t kBefore = 3;  // "blk"
  const std::string number = fmt::format(".{}.", recipe::layer_of(name));
  if (name.find(number) != kBefore) return {name, {}};
  return {name.substr(0, kBefore + 1), name.substr(kBefore + number.size() - 1)};
}

/// The rule for a tensor's kind and type, which is new if it is the first of them.
LayerRule& rule_for(const Kind& kind, TensorType type, std::vector<LayerRule>& rules) {
  for (LayerRule& rule : rules) {
    if (rule.before == kind.first && rule.after == kind.second && rule.type == type) return rule;
  }
  LayerRule& rule = rules.emplace_back();
  rule.before = kind.first;
  rule.after = kind.second;
  rule.type = type;
  return rule;
}

/// By the order of the model's kinds of tensors, then by rising bits.
std::vector<LayerRule> rules_of(const MixChoice& choice) {
  struct Seen {
    std::size_t place;
    std::size_t tensors = 0;
  };
  std::map<Kind, Seen> kinds;
  std::vector<LayerRule> rules;
  for (std::size_t i = 0; i < choice.tensors.size(); ++i) {
    const TensorChoice& tensor = choice.tensors[i];
    const Kind kind = around_layer(tensor.name);
    ++kinds.try_emplace(kind, Seen{kinds.size()}).first->second.tensors;
    if (!has_rule(tensor)) continue;
    LayerRule& rule = rule_for(kind, chosen_type(tensor).type, rules);
    rule.tensors.push_back(i);
    if (!kind.second.empty()) rule.layers.push_back(recipe::layer_of(tensor.name));
  }
  const auto seen = [&](const LayerRule& rule) { return kinds.at({rule.before, rule.after}); };
  for (LayerRule& rule : rules) {
    std::ranges::sort(rule.layers);
    rule.all_layers = rule.layers.size() > 1 && rule.layers.size() == seen(rule).tensors;
  }
  std::ranges::stable_sort(rules, {}, [&](const LayerRule& rule) {
    return std::pair(seen(rule).place, bits_per_weight(rule.type));
  });
  return rules;
}

/// What matches the text within a rule. What would end the rule, or, where rules are taken in lower case,
/// be another letter, is any sign.
std::string rule_pattern(std::string_view text, bool lower_case) {
  constexpr std::string_view kEnds = " \t\v\f\r\n,=#'\"`";
  std::string pattern;
  for (const char letter : text) {
    const bool upper = std::isupper(static_cast<unsigned char>(letter)) != 0;
    const bool any = kEnds.find(letter) != kEnds.npos || (lower_case && upper);
    pattern += any ? "." : mix::pattern_of(letter);
  }
  return pattern;
}

std::string rule_text(const LayerRule& rule, bool lower_case) {
  std::string layers;
  if (rule.all_layers) {
    layers = "[0-9]+";
  } else if (rule.layers.size() == 1) {
    layers = std::to_string(rule.layers.front());
  } else if (!rule.layers.empty()) {
    layers = fmt::format("({})", fmt::join(rule.layers, "|"));
  }
  return fmt::format("^{}{}{}$={}\n", rule_pattern(rule.before, lower_case), layers,
                     rule_pattern(rule.after, lower_case), name(rule.type));
}

std::string head_text(const MixChoice& choice, Mix dialect) {
  const std::string_view type =
      choice.recipe.file_type == nullptr ? "TYPE" : choice.recipe.file_type->name;
  std::string text =
      fmt::format("# {} ({} bytes), foretold divergence {:.3g} nats a token, measured {}.\n",
                  bytes_text(static_cast<double>(choice.bytes)), choice.bytes, choice.divergence,
                  printable(choice.measured));
  if (dialect == Mix::llama_cpp) {
    text += fmt::format(
        "# For: sluice quantize --tensor-type-file RULES MODEL OUT {0}\n"
        "# llama-quantize reads no comments: grep -v '^#' RULES > PLAIN, and\n"
        "#      llama-quantize --tensor-type-file PLAIN MODEL OUT {0}\n",
        type);
  } else {
    text += fmt::format(
        "# For: sluice quantize --mix ik_llama.cpp --custom-q \"$(cat RULES)\" MODEL OUT {0}\n"
        "#      llama-quantize --custom-q \"$(grep -v '^#' RULES | paste -sd,)\" MODEL OUT {0}\n",
        type);
  }
  for (const TensorChoice& tensor : choice.tensors) {
    if (tensor.kept || !recipe::is_router(tensor.name)) continue;
    return text + fmt::format("# No rule is for routers: add --ffn-gate-inp-type {}\n",
                              name(chosen_type(tensor).type));
  }
  return text;
}

}  // namespace

std::string recipe_text(const MixChoice& choice, Mix dialect) {
  std::string text = head_text(choice, dialect);
  for (const LayerRule& rule : rules_of(choice)) {
    std::uint64_t bytes = 0;
    double divergence = 0;
    for (const std::size_t i : rule.tensors) {
      bytes += chosen_type(choice.tensors[i]).bytes;
      divergence += chosen_type(choice.tensors[i]).divergence;
    }
    text += fmt::format("# {}, {}, {:.3g} nats\n", counted(rule.tensors.size(), "tensor"),
                        bytes_text(static_cast<double>(bytes)), divergence);
    text += rule_text(rule, dialect == Mix::llama_cpp);
  }
  text += "# Tensor by tensor:\n";
  for (const TensorChoice& tensor : choice.tensors) {
    if (!has_rule(tensor)) continue;
    const TypeCost& type = chosen_type(tensor);
    text += fmt::format("#   {} {} {} {:.3g} nats{}\n", printable(tensor.name), name(type.type),
                        bytes_text(static_cast<double>(type.bytes)), type.divergence,
                        tensor.rule.empty() ? "" : " (" + printable(tensor.rule) + ")");
  }
  return text;
}

}  // namespace sluice
