#pragma once

#include <string>

namespace sluice::cli {

/// What the commands that tell about the program itself, `help` and `completion`, are asked.
struct TextArguments {
  std::string topic;      ///< a command or a topic; empty: the overview
  bool man = false;       ///< the manual page
  bool markdown = false;  ///< the tables of OPTIONS.md
  std::string shell;      ///< completion: for which
};

/// Prints what was asked for.
/// \returns the exit status
int run_help(const TextArguments& arguments);

/// Prints the script for a shell.
void run_completion(const TextArguments& arguments);

}  // namespace sluice::cli
