#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/option_values.h"
#include "recipe/recipe_text.h"
#include "sluice/options.h"

// What the table of options is written with.

namespace sluice::option_rows {

using Kind = OptionKind;
using Topic = OptionTopic;

/// An option and what it binds to.
struct Row {
  Option option;
  void (*set)(Options& options, const Option& option, std::string_view value);
};

/// Reads a value into a member of `Options::quantize`, or into a member of that member.
template <auto... Path>
void into(Options& options, const Option& option, std::string_view value) {
  option_values::read(option, value, (options.quantize.*....*Path));
}

template <std::string Options::*Member>
void into_text(Options& options, const Option& option, std::string_view value) {
  option_values::read(option, value, options.*Member);
}

/// Appends rules, in the order in which they are given by whatever option.
template <std::vector<TypeRule> RecipeOptions::*Rules, auto Parse>
void add_rules(Options& options, const Option& option, std::string_view value) {
  std::string text;
  option_values::read(option, value, text);
  const std::vector<TypeRule> more = Parse(text);
  std::vector<TypeRule>& rules = options.quantize.*Rules;
  rules.insert(rules.end(), more.begin(), more.end());
}

/// Appends bounds that are written as rules.
template <std::vector<TypeBound> MixTarget::*Bounds>
void add_bounds(Options& options, const Option& option, std::string_view value) {
  std::string text;
  option_values::read(option, value, text);
  for (const TypeRule& rule : parse_custom_rules(text)) {
    (options.quantize.target.*Bounds).push_back({rule.pattern, rule.type});
  }
}

constexpr unsigned kConversion = kForQuantize | kForPlan;
constexpr unsigned kChoosing = kConversion | kForRecipe;
constexpr unsigned kReading = kForVerify | kForCompare;
constexpr unsigned kStreaming = kConversion | kReading;
constexpr unsigned kRunning = kStreaming | kForImatrix | kForRecipe;

/// Which peers' llama-quantize has an option of the same name.
enum class Peers { none, llama_cpp, ik_llama_cpp, both };

/// What few options have.
struct More {
  Peers peers = Peers::none;
  std::string_view default_value = "";
  std::string_view position = "";
  bool required = false;
  bool repeats = false;
  std::string_view environment = "";
};

constexpr Option option(std::string_view name, Kind kind, std::string_view value, Topic topic,
                        unsigned commands, std::string_view help, More more = {}) {
  const bool llama_cpp = more.peers == Peers::llama_cpp || more.peers == Peers::both;
  const bool ik_llama_cpp = more.peers == Peers::ik_llama_cpp || more.peers == Peers::both;
  return {.name = name,
          .kind = kind,
          .value = value,
          .default_value = more.default_value,
          .help = help,
          .topic = topic,
          .commands = commands,
          .llama_cpp = llama_cpp ? name : "",
          .ik_llama_cpp = ik_llama_cpp ? name : "",
          .position = more.position,
          .environment = more.environment,
          .required = more.required,
          .repeats = more.repeats};
}

constexpr Option flag(std::string_view name, Topic topic, std::string_view help,
                      Peers peers = Peers::none, unsigned commands = kChoosing) {
  return option(name, Kind::flag, "", topic, commands, help, {.peers = peers});
}

/// The type of a tensor, or of a kind of tensors.
constexpr Option type_of(std::string_view name, std::string_view help,
                         Peers peers = Peers::ik_llama_cpp) {
  return option(name, Kind::tensor_type, "TYPE", Topic::types, kChoosing, help, {.peers = peers});
}

/// Something that is given for each of several tensors, keys or layers.
constexpr Option several(std::string_view name, std::string_view value, Topic topic,
                         std::string_view help, Peers peers) {
  const Kind kind = value == "FILE" ? Kind::file : Kind::text;
  return option(name, kind, value, topic, kChoosing, help, {.peers = peers, .repeats = true});
}

/// A file that the command line has at a place of its own.
constexpr Option placed_file(std::string_view name, std::string_view position, unsigned commands,
                             std::string_view help, bool required = true) {
  return option(name, Kind::file, "FILE", Topic::arguments, commands, help,
                {.position = position, .required = required});
}

constexpr Option with_letter(std::string_view letter, Option option) {
  option.letter = letter;
  return option;
}

constexpr Option with_llama_cpp_name(std::string_view name, Option option) {
  option.llama_cpp = name;
  return option;
}

}  // namespace sluice::option_rows
