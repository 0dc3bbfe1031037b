#include "base/text.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

namespace sluice {
namespace {

/// Whether the character of `length` bytes that `text` begins with is a control character: C0, DEL
/// or C1, of which some terminals take U+009B for the start of a command as they do ESC.
bool is_control(std::string_view text, std::size_t length) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  return byte(0) < 0x20 || byte(0) == 0x7f || (length == 2 && byte(0) == 0xc2 && byte(1) < 0xa0);
}

}  // namespace

// Unicode 15, table 3-7.
Utf8Character first_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte's range shuts out overlong forms, surrogates and numbers beyond U+10FFFF.
  std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {length, true};
}

bool is_plain_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    if (!character.valid || text.front() == '\0') return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string visible(std::string_view text, std::string_view allowed) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const bool c1 = byte == 0xc2 && i + 1 < text.size() &&
                    (static_cast<std::uint8_t>(text[i + 1]) & 0xe0) == 0x80;
    const bool control = byte < 0x20 || byte == 0x7f || c1;
    if (!control || allowed.find(text[i]) != allowed.npos) {
      out += text[i];
      continue;
    }
    out += fmt::format("\\x{:02x}", byte);
    if (c1) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text[++i]));
  }
  return out;
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string out;
  while (!text.empty()) {
    if (out.size() >= kLongest) return out + "…";
    const auto [length, valid] = first_character(text);
    const bool show = valid && !is_control(text, length);
    out += show ? std::string(text.substr(0, length))
                : fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text.front()));
    text.remove_prefix(show ? length : 1);
  }
  return out;
}

}  // namespace sluice
