#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command_facts.h"

namespace sluice::cli {

/// The script that completes commands, options, their values, types and files in a shell.
/// \pre `shell` is "bash", "zsh" or "fish"
std::string completion_script(std::string_view shell);

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// What may stand in a command's positional arguments, whatever their number: optional ones in
/// their midst leave a type's place open.
struct PositionalKinds {
  bool files = false;
  bool folders = false;
  bool types = false;
  std::vector<std::string> choices;
};

PositionalKinds positional_kinds(const CommandFacts& command);

/// Words with spaces between.
std::string in_one_line(const std::vector<std::string>& words);

}  // namespace sluice::cli
