#pragma once

#include <string>

#include "tokenizer/source.h"

namespace sluice::tokenizer {

/// tokenizer.ggml.pre: the user's choice, or llama.cpp's name of what tokenizer.json's own steps and
/// regular expressions do.
/// \throws Error (input_format) with those steps if they have no name here.
std::string pre_tokenizer(const Source& source);

/// The user's choice, where the files do not say how text is cut.
/// \param file  that holds the tokens
/// \throws Error (input_format) if there is none.
std::string chosen_pre_tokenizer(const Source& source, const std::string& file);

/// Whether llama.cpp begins texts with BOS if nothing is said of it but this name.
bool begins_with_bos(std::string_view pre);

}  // namespace sluice::tokenizer
