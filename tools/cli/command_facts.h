#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sluice/options.h"
#include "sluice/recipe.h"

namespace sluice::cli {

/// In capital letters, those of ASCII.
std::string upper(std::string_view text);

/// What the program has besides what the library knows, as bits of Option::commands.
inline constexpr unsigned kForInspect = 1U << 8;
inline constexpr unsigned kForReport = 1U << 9;
inline constexpr unsigned kForDemo = 1U << 10;
inline constexpr unsigned kForCompletion = 1U << 11;
inline constexpr unsigned kForHelp = 1U << 12;
inline constexpr unsigned kForProgram = 1U << 13;  ///< before the command

struct CommandFacts {
  unsigned bit = 0;
  std::string_view name;  ///< empty: the program itself
  std::string_view description;
  std::string_view footer = "";      ///< what is to be said after the options; may be empty
  std::vector<Option> options = {};  ///< in the order of their topics
};

/// The program, then its commands, with the options of each: the library's and the program's own.
/// What the parser takes, and what help, man page and completions tell, is made of this.
const std::vector<CommandFacts>& command_facts();

/// The commands' names, without the program itself.
std::vector<std::string> command_names();

/// The command's facts, or null.
const CommandFacts* find_command(std::string_view name);

/// As typed, with dashes, short ones first; a positional has none.
std::vector<std::string> names_of(const Option& option);

/// The option of a command that a word names, with or without a value after `=`; or null.
const Option* find_option(const CommandFacts& command, const std::string& word);

/// What its value is called: "FILE", "auto|mmap"; of a positional its name in capitals.
std::string value_of(const Option& option);

/// The values of a choice; of others none.
std::vector<std::string> choices_of(const Option& option);

/// The file types but those whose own type has no encoder: a mix of such is refused.
std::vector<FileType> offered_file_types();

/// Their names, in capitals.
std::vector<std::string> file_type_names();

/// The names of the types that a tensor can be made of, in capitals.
std::vector<std::string> tensor_type_names();

}  // namespace sluice::cli
