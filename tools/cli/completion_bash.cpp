#include <fmt/format.h>

#include <map>

#include "completion.h"

namespace sluice::cli {
namespace {

// What each command's part of the script sets, and the rest offers.
constexpr std::string_view kStart =
    R"(# bash completion for sluice, as printed by `sluice completion bash`.
_sluice() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= i
  # Bash makes three words of --option=value.
  [[ $cur == = ]] && cur=
  [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ ${COMP_WORDS[i]} == -* ]] && continue
    command=${COMP_WORDS[i]}
    break
  done
  # Words to offer; a type, in either case; files or folders (as compgen's option); an option's
  # value, so that options are none.
  local words= types= paths= value= options=
  case $command in
)";

constexpr std::string_view kEnd = R"(  esac
  if [[ $cur == -* && ! $value ]]; then
    words=$options types= paths=
  fi
  mapfile -t COMPREPLY < <(
    compgen -W "$words" -- "$cur"
    [[ $types ]] && compgen -W "$types" -- "${cur^^}"
    [[ $paths ]] && compgen "$paths" -- "$cur"
  )
  [[ $paths ]] && compopt -o filenames 2>/dev/null
  return 0
}
complete -F _sluice sluice
)";

// What `option`'s value is completed with, as assignments.
std::string value_words(const Option& option) {
  switch (option.kind) {
    case OptionKind::choice:
      return fmt::format("words='{}' ", in_one_line(choices_of(option)));
    case OptionKind::file_type:
      return "types=$file_types ";
    case OptionKind::tensor_type:
      return "types=$tensor_types ";
    case OptionKind::file:
      return "paths=-f ";
    case OptionKind::folder:
      return "paths=-d ";
    default:
      return "";
  }
  return "";
}

std::string positional_words(const PositionalKinds& kinds) {
  std::string text;
  if (!kinds.choices.empty()) text += fmt::format("words='{}' ", in_one_line(kinds.choices));
  if (kinds.types) text += "types=$file_types ";
  if (kinds.files) text += "paths=-f ";
  if (kinds.folders && !kinds.files) text += "paths=-d ";
  return text;
}

std::string case_of(const CommandFacts& command) {
  std::vector<std::string> names;
  std::map<std::string, std::string> by_words;  // options with the same values share a line
  for (const Option& option : command.options) {
    for (const std::string& name : names_of(option)) names.push_back(name);
    if (!option.position.empty() || option.value.empty()) continue;
    for (const std::string& name : names_of(option)) {
      std::string& pattern = by_words[value_words(option)];
      pattern += (pattern.empty() ? "" : " | ") + name;
    }
  }
  std::string text =
      fmt::format("  {})\n    options='{}'\n    case $prev in\n", command.name, in_one_line(names));
  for (const auto& [words, pattern] : by_words) {
    text += fmt::format("    {}) {}value=1 ;;\n", pattern, words);
  }
  const std::string words = positional_words(positional_kinds(command));
  text += fmt::format("    *) {};;\n    esac\n    ;;\n", words.empty() ? ": " : words);
  return text;
}

}  // namespace

std::string bash_completion() {
  std::string script(kStart);
  const std::string declared = "  local words=";
  script.insert(script.find(declared),
                fmt::format("  local file_types='{}'\n  local tensor_types='{}'\n",
                            in_one_line(file_type_names()), in_one_line(tensor_type_names())));
  std::vector<std::string> options;
  for (const Option& option : command_facts().front().options) {
    for (const std::string& name : names_of(option)) options.push_back(name);
  }
  script += fmt::format("  '') words='{}' options='{}' ;;\n", in_one_line(command_names()),
                        in_one_line(options));
  for (const CommandFacts& command : command_facts()) {
    if (!command.name.empty()) script += case_of(command);
  }
  return script + std::string(kEnd);
}

}  // namespace sluice::cli
