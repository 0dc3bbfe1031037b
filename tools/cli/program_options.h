#pragma once

#include <span>
#include <string>

#include "arguments.h"
#include "sluice/options.h"

namespace sluice::cli {

/// An option that the program has besides the library's, and what it binds to.
struct ProgramOption {
  Option option;
  /// \throws Error (usage); null for what the parser itself answers: help and version
  void (*set)(Arguments& arguments, const std::string& value);
};

std::span<const ProgramOption> program_options();

}  // namespace sluice::cli
