#pragma once

#include "sluice/gguf.h"
#include "tokenizer/source.h"

namespace sluice::tokenizer {

/// Sets the ids of special tokens (tokenizer.ggml.*_token_id) and whether they are added to a text
/// (tokenizer.ggml.add_*_token, add_space_prefix).
void set_special_tokens(Source& source, const Tokens& tokens, gguf::Header& metadata);

}  // namespace sluice::tokenizer
