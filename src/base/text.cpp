#include "base/text.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

namespace sluice {
namespace {

/// Bytes of the well-formed UTF-8 character that `text` begins with, or 0 (Unicode 15, table 3-7).
std::size_t character_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  // The second byte's range shuts out overlong forms, surrogates and numbers beyond U+10FFFF.
  const std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

/// Whether the character of `length` bytes that `text` begins with is a control character: C0, DEL
/// or C1, of which some terminals take U+009B for the start of a command as they do ESC.
bool is_control(std::string_view text, std::size_t length) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  return byte(0) < 0x20 || byte(0) == 0x7f || (length == 2 && byte(0) == 0xc2 && byte(1) < 0xa0);
}

}  // namespace

bool is_plain_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0 || text.front() == '\0') return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string out;
  while (!text.empty()) {
    if (out.size() >= kLongest) return out + "…";
    const std::size_t length = character_length(text);
    const bool show = length != 0 && !is_control(text, length);
    out += show ? std::string(text.substr(0, length))
                : fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text.front()));
    text.remove_prefix(show ? length : 1);
  }
  return out;
}

}  // namespace sluice
