#include "completion.h"

namespace sluice::cli {

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  return bash_completion();
}

PositionalKinds positional_kinds(const CommandFacts& command) {
  PositionalKinds kinds;
  for (const Option& option : command.options) {
    if (option.position.empty()) continue;
    kinds.files |= option.kind == OptionKind::file;
    kinds.folders |= option.kind == OptionKind::folder;
    kinds.types |= option.kind == OptionKind::file_type;
    for (std::string& choice : choices_of(option)) kinds.choices.push_back(std::move(choice));
  }
  return kinds;
}

std::string in_one_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

}  // namespace sluice::cli
