#pragma once

// Names come from files that anybody may have written: what is printed is made safe first.

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

/// Whether `text` is UTF-8 (shortest forms only, no surrogates) and free of NUL, which would end
/// the name early in every C program that reads the file after us.
bool is_plain_utf8(std::string_view text) noexcept;

/// What a text begins with: one character, or bytes that are none together, though they may begin
/// one (the Unicode standard's maximal subpart, which is replaced as a whole).
struct Utf8Character {
  std::size_t bytes;
  bool valid;
};

/// \param text  not empty
Utf8Character first_character(std::string_view text) noexcept;

/// `text` with ASCII's letters in lower case.
std::string lower(std::string_view text);

/// `text` with control characters, C0 but those in `allowed`, DEL and C1 (U+0080 to U+009F), as `\xNN`:
/// names come from files that anybody may have written, and messages go to terminals.
std::string visible(std::string_view text, std::string_view allowed = {});

/// `text` for a message: control characters and bytes that are not UTF-8 as `\xNN`, long texts cut.
std::string printable(std::string_view text);

}  // namespace sluice
