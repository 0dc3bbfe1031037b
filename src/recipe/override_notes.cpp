#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/text.h"
#include "recipe/overrides.h"
#include "sluice/amounts.h"

namespace sluice::recipe {
namespace {

constexpr const char* kOnNone = "on any tensor of this model";

/// A rule that changes nothing.
struct IdleRule {
  std::string text;
  std::string why;  ///< goes on after "has no effect "
};

/// Why a rule changes nothing of a tensor that it matches and that has another type.
std::string why_idle(const gguf::Tensor& tensor, const TypeChoice& choice) {
  if (choice.decider != Decider::kept)
    return fmt::format("where another rule counts ({})", choice.rule);
  return fmt::format("on tensors that keep their types ({}{})", choice.rule,
                     is_router(tensor.name) ? "; --ffn-gate-inp-type is for routers" : "");
}

/// One sentence for all, those that match nothing first: they are the misspelled ones.
std::string sentence(std::vector<IdleRule> rules) {
  if (rules.size() == 1) {
    return fmt::format("{} has no effect {}", rules.front().text, rules.front().why);
  }
  constexpr std::size_t kExamples = 3;
  std::ranges::stable_sort(rules, std::greater<>(),
                           [](const IdleRule& rule) { return rule.why == kOnNone; });
  std::string text = fmt::format("{} have no effect", counted(rules.size(), "rule"));
  for (auto rest = rules.begin(); rest != rules.end();) {
    const std::string why = rest->why;
    const auto end = std::stable_partition(rest, rules.end(),
                                           [&](const IdleRule& rule) { return rule.why == why; });
    const auto count = static_cast<std::size_t>(end - rest);
    text += rest == rules.begin() ? ": " : "; ";
    for (std::size_t i = 0; i < std::min(count, kExamples); ++i) {
      text += (i == 0 ? "" : ", ") + rest[static_cast<std::ptrdiff_t>(i)].text;
    }
    if (count > kExamples) text += fmt::format(" and {} more", count - kExamples);
    text += " " + why;
    rest = end;
  }
  return text;
}

}  // namespace

// What a rule finds done already is as it should be: published recipes name every tensor.
std::string Overrides::why_unused(const Compiled& rule, const std::string& never,
                                  const gguf::Header& model,
                                  std::span<const TypeChoice> chosen) const {
  bool matches = false;
  std::string why;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const gguf::Tensor& tensor = model.tensors[i];
    if (!rule.pattern.found_in(tensor.name)) continue;
    matches = true;
    if (why.empty() && chosen[i].type != rule.rule->type) why = why_idle(tensor, chosen[i]);
  }
  if (matches && why.empty()) return {};
  if (!never.empty()) return never;
  return matches ? why : kOnNone;
}

std::vector<std::string> Overrides::notes(const gguf::Header& model,
                                          std::span<const TypeChoice> chosen) const {
  std::vector<std::string> notes;
  if (!contradiction_.empty()) notes.push_back(contradiction_);
  // Why requests of each sort are not looked at, if they are not.
  const FileType& file_type = *options_.file_type;
  const std::string with_type = fmt::format("with {}", file_type.name);
  const bool plain = info(file_type.type).block_elements == 1;
  const std::string never_rule = plain ? with_type : "";
  const std::string never_late = plain ? with_type : options_.pure ? "with --pure" : "";
  for (std::size_t i = 0; i < named_.size(); ++i) {
    const NamedType& named = named_[i];
    if (!*named.type || named.used) continue;
    const auto request = static_cast<Request>(i);
    const bool single = request <= Request::ffn_gate_inp;
    std::string why = single ? (file_type.copy ? with_type : "") : never_late;
    const bool of_kind = !single && request != Request::attn_output;
    if (of_kind && !options_.pure && few_bits_of_ik()) why = with_type;
    notes.push_back(fmt::format("{} {} has no effect {}", named.option, name(**named.type),
                                why.empty() ? kOnNone : why));
  }
  std::vector<IdleRule> idle;
  const auto add_unused = [&](const char* option, const std::vector<Compiled>& rules,
                              const std::string& never) {
    for (const Compiled& each : rules) {
      if (each.used) continue;
      std::string why = why_unused(each, never, model, chosen);
      if (why.empty()) continue;
      idle.push_back(
          {fmt::format("{} {}={}", option, printable(each.rule->pattern), name(each.rule->type)),
           std::move(why)});
    }
  };
  add_unused("--tensor-type", tensor_types_, never_rule);
  add_unused("--custom-q", custom_types_, never_late);
  if (!idle.empty()) notes.push_back(sentence(std::move(idle)));
  return notes;
}

}  // namespace sluice::recipe
