#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tokenizer {

/// Token ids as text: numbers with spaces, line ends or commas between them, in brackets or not, as
/// llama-tokenize --ids prints them.
/// \param vocabulary  so many tokens there are
/// \throws Error (input_format) if there is something else, or an id that is none of the vocabulary's,
///         with the place in the file
std::vector<std::int32_t> read_token_ids(std::string_view text, std::uint64_t vocabulary,
                                         const std::string& file);

}  // namespace sluice::tokenizer
