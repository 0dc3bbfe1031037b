#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/recipe.h"

namespace sluice::cli {

/// What a shell offers to complete a value with.
enum class ValueKind { none, choice, file_type, tensor_type, file, folder };

/// An option or a positional argument, as the help, the man page and the completions show it.
struct OptionFacts {
  std::vector<std::string> names;  ///< with dashes, short ones first; empty: positional
  std::string value;  ///< "FILE", or the choices as "auto|mmap"; empty: a flag. Of positionals
                      ///< the name in capitals
  ValueKind kind = ValueKind::none;
  std::vector<std::string> choices;  ///< of ValueKind::choice
  std::string description;
  std::string topic;  ///< heading to stand under
  std::string default_value;
  std::string environment;  ///< variable that gives its value too
  bool required = false;
  bool repeats = false;

  bool positional() const { return names.empty(); }
};

struct CommandFacts {
  std::string name;
  std::string description;
  std::vector<OptionFacts> options;  ///< in the order of their topics
  std::string footer;                ///< what is to be said after the options; may be empty
};

/// The program's options (name empty), then each command's, in the order in which they were added.
/// Taken from the parser's own tables, so that whatever is added there shows in help, man page and
/// completions.
std::vector<CommandFacts> command_facts(const CLI::App& app);

/// The file types but those whose own type has no encoder: a mix of such is refused.
std::vector<FileType> offered_file_types();

/// Their names, in capitals.
std::vector<std::string> file_type_names();

/// The names of the types that a tensor can be made of, in capitals.
std::vector<std::string> tensor_type_names();

}  // namespace sluice::cli
