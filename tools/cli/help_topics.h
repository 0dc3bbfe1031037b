#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// A piece of a help text, shown on the terminal and in the man page.
struct Block {
  enum class Kind {
    paragraph,   ///< `text`, to be wrapped
    example,     ///< `text`, a command as typed, on one line
    definition,  ///< `text`, about `term`
  };
  Kind kind = Kind::paragraph;
  std::string text;
  std::string term = {};
};

/// What `sluice help NAME` tells, besides the commands.
struct Topic {
  std::string name;
  std::string title;  ///< a line
  std::vector<Block> blocks;
};

/// All topics, in the order in which they are listed.
std::vector<Topic> help_topics();

/// Blocks from a text: paragraphs with blank lines between; lines that begin with four spaces are
/// examples; a line `TERM :: text` is a definition, up to the next one or a blank line.
std::vector<Block> blocks_of(std::string_view text);

/// Examples of a command, for the end of its help; none for commands without.
std::span<const std::string_view> examples_of(std::string_view command);

}  // namespace sluice::cli
