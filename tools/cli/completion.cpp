#include "completion.h"

namespace sluice::cli {

std::vector<std::string> completion_shells() {
  return {"bash", "zsh", "fish"};
}

std::string completion_script(std::string_view shell, const std::vector<CommandFacts>& commands) {
  if (shell == "zsh") return zsh_completion(commands);
  if (shell == "fish") return fish_completion(commands);
  return bash_completion(commands);
}

PositionalKinds positional_kinds(const CommandFacts& command) {
  PositionalKinds kinds;
  for (const OptionFacts& option : command.options) {
    if (!option.positional()) continue;
    kinds.files |= option.kind == ValueKind::file;
    kinds.folders |= option.kind == ValueKind::folder;
    kinds.types |= option.kind == ValueKind::file_type;
    kinds.choices.insert(kinds.choices.end(), option.choices.begin(), option.choices.end());
  }
  return kinds;
}

std::string in_one_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

}  // namespace sluice::cli
