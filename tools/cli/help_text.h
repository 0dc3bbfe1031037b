#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "command_facts.h"
#include "help_topics.h"

namespace sluice::cli {

/// How a help text is set.
struct HelpLayout {
  std::size_t columns = 80;
  bool styled = false;  ///< headings bold, as on a terminal
};

/// Layout for stdout.
HelpLayout help_layout();

/// Words of `text` in lines of at most `columns`, all but the first indented by `indent`. A word
/// that is longer has a line of its own. `at` is where the first line begins.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent, std::size_t at);

/// `quantize [OPTION...] MODEL OUTPUT TYPE [NTHREADS]`, without the program's name.
std::string usage_of(const CommandFacts& command);

/// What an option says, with default and variable.
std::string description(const Option& option);

/// The same, with the types that there are.
std::string full_description(const Option& option);

/// The program's help: commands, its own options, topics.
std::string overview_text(const HelpLayout& layout);

/// A command's help: arguments, options under their topics, examples.
std::string command_text(const CommandFacts& command, const HelpLayout& layout);

/// A topic's text.
std::string topic_text(const Topic& topic, const HelpLayout& layout);

}  // namespace sluice::cli
