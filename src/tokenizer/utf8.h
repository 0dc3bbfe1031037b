#pragma once

#include <string>
#include <string_view>

namespace sluice::tokenizer {

/// Text as llama.cpp reads it before it is cut: every byte that begins no character is U+FFFD, and a
/// character that is spelled with more bytes than it needs is spelled as it should be. Halves of
/// surrogate pairs stay. (llama.cpp fails where a character is beyond U+10FFFF; its bytes are U+FFFD here.)
std::string read_utf8(std::string_view text);

/// Such a text for PCRE2 to match in place of it, byte for byte as long: PCRE2 of Debian 12 knows
/// Unicode 14, llama.cpp has the categories of Unicode 15.1. A character that they see differently
/// is replaced by another of the category that llama.cpp gives it.
std::string with_known_characters(std::string text);

}  // namespace sluice::tokenizer
