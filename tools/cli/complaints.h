#pragma once

#include <string>
#include <vector>

#include "command_facts.h"

namespace sluice::cli {

/// What to do instead of an option that people try because a peer or most programs have it; null if
/// the word is none.
const char* refusal_of(const std::string& word, unsigned command);

/// What is wrong, if it is a word that no option and no command takes; else empty.
/// \param left     the words that are left
/// \param command  null: none was given
std::string unknown_word(std::vector<std::string> left, const CommandFacts* command);

/// That something is missing, with an example of the whole.
std::string missing_text(const CommandFacts& command, const Option& option);

/// That an option stands without its value.
/// \param name  as it was typed
std::string missing_value_text(const Option& option, const std::string& name);

}  // namespace sluice::cli
