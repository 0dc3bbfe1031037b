#include "markdown.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "command_facts.h"
#include "help_text.h"
#include "program_options.h"

namespace sluice::cli {
namespace {

// In a cell, a bar would end it.
std::string in_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, "\\");
  return text;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", in_cell(std::string(text)));
}

// `--memory SIZE`, or `MODEL`.
std::string spelled(const Option& option) {
  std::string text = fmt::format("{}", fmt::join(names_of(option), ", "));
  if (const std::string value = value_of(option); !value.empty()) {
    text += (text.empty() ? "" : " ") + value;
  }
  return code(text);
}

std::string at_peer(std::string_view name, const Option& option) {
  if (name.empty()) return "";
  return name == option.name ? "✓" : code(fmt::format("--{}", name));
}

std::string commands_of(const Option& option) {
  constexpr std::size_t kNearlyAll = 7;
  std::vector<std::string_view> names;
  for (const CommandFacts& command : command_facts()) {
    if ((option.commands & command.bit) != 0) names.push_back(command.name);
  }
  return names.size() >= kNearlyAll ? "all" : fmt::format("{}", fmt::join(names, ", "));
}

std::string row(const Option& option) {
  return fmt::format("| {} | {} | {} | {} | {} |\n", spelled(option), commands_of(option),
                     at_peer(option.llama_cpp, option), at_peer(option.ik_llama_cpp, option),
                     in_cell(description(option)));
}

}  // namespace

std::string option_tables() {
  std::vector<Option> all(sluice::options().begin(), sluice::options().end());
  for (const ProgramOption& each : program_options()) all.push_back(each.option);
  std::ranges::stable_sort(all, {}, &Option::topic);
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].topic != all[i - 1].topic) {
      text += fmt::format(
          "{}### {}\n\n| option | commands | llama.cpp | ik_llama.cpp | what it says |\n"
          "|---|---|---|---|---|\n",
          i == 0 ? "" : "\n", name(all[i].topic));
    }
    text += row(all[i]);
  }
  return text;
}

}  // namespace sluice::cli
