#pragma once

#include <string>
#include <vector>

#include "sluice/options.h"

namespace sluice::cli {

/// Sets what the words of a conversion say by their places, as llama-quantize: the model, the
/// output (which may be left out, or be given by an option), the type and the threads.
/// \param command  "quantize" or "plan", for what a message tells to write
/// \param words    at least the model
/// \param options  has all that options say
/// \throws Error (usage) saying what stands where something else is due, and how to write it
void set_conversion_words(const std::string& command, const std::vector<std::string>& words,
                          Options& options);

/// Whether a word looks like a file rather than like a type, a number or a command: it is there, or
/// its name has a folder or an ending.
bool looks_like_file(const std::string& word);

}  // namespace sluice::cli
