#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>

#include "console.h"

namespace sluice::cli {

/// The commands that print a text about the program itself, `help` and `completion`, and what the
/// program answers to a command line that cannot be run.
class TextCommands {
 public:
  /// Adds these commands, and to each command the options that say how the program speaks.
  /// Everything else must have been added already.
  TextCommands(CLI::App& app, ConsoleOptions& console);

  /// Prints what was asked for, if it was a text.
  /// \returns the exit status; -1: it was none, run the command
  int print(const CLI::App& app) const;

  /// Prints help, version, or what is wrong with the command line: an unknown option, command or
  /// word comes with the nearest one that there is.
  /// \returns the exit status
  int answer(const CLI::App& app, const CLI::ParseError& error) const;

 private:
  struct Typed {
    std::string topic;
    bool man = false;
    std::string shell;
  };

  CLI::App* help_;
  CLI::App* completion_;
  std::unique_ptr<Typed> typed_ = std::make_unique<Typed>();
};

}  // namespace sluice::cli
