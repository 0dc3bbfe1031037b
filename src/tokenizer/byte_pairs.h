#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/source.h"

namespace sluice::tokenizer {

/// A token of a list of ranks: the lower the rank, the earlier its parts are joined.
struct RankedToken {
  std::string bytes;
  std::uint64_t rank = 0;
};

/// The bytes that base64 stands for, or nothing if it is none.
std::optional<std::string> from_base64(std::string_view text);

/// Bytes as GPT-2's alphabet has them: each a character that can be seen.
std::string to_byte_letters(std::string_view bytes);

/// Tokens and merges of a list of ranks. Such lists have no merges: that of a token is what is left
/// when its bytes are joined by all tokens of lower rank, if that is two parts.
/// \param first_id  of the token of rank 0; ids follow ranks
/// \throws Error (input_format): ranks or tokens that are there twice, longer than 1024 bytes, or too
///         many.
Tokens tokens_of_ranks(std::vector<RankedToken> list, std::uint64_t first_id,
                       const std::string& file);

}  // namespace sluice::tokenizer
