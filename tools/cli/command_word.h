#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

/// The words behind the program's name, with `quantize` put in where no command is named but the
/// rest is as for llama-quantize: an option, a file or a type comes first, and more follows.
std::vector<std::string> with_command(std::vector<std::string> words);

/// Whether a word is an option, not a negative number.
bool is_option(const std::string& word);

}  // namespace sluice::cli
