#include "tokenizer/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace sluice::tokenizer {
namespace {

struct Character {
  std::uint32_t code;
  std::size_t bytes;
};

/// The character that a text begins with, whatever its spelling, or nothing.
std::optional<Character> decode_first(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return Character{lead, 1};
  if (lead < 0xc0 || lead >= 0xf8) return std::nullopt;
  const std::size_t bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < bytes) return std::nullopt;
  std::uint32_t code = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte(i) & 0x3f);
  }
  if (code > 0x10ffff) return std::nullopt;
  return Character{code, bytes};
}

std::size_t utf8_bytes(std::uint32_t code) {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/// Writes a character over the bytes at `out`, of which there are utf8_bytes(code).
void write_utf8(std::uint32_t code, char* out) {
  const std::size_t bytes = utf8_bytes(code);
  if (bytes == 1) {
    *out = static_cast<char>(code);
    return;
  }
  for (std::size_t i = bytes; i-- > 1; code >>= 6) out[i] = static_cast<char>(0x80 | (code & 0x3f));
  out[0] = static_cast<char>((0xf00u >> bytes & 0xff) | code);
}

constexpr std::uint32_t kReplacement = 0xfffd;

struct Replaced {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t by;
};

// Letters, marks, numbers, punctuation and symbols that are as old as their categories, of three and
// of four bytes.
constexpr std::uint32_t kMark3 = 0x900, kSymbol3 = 0x2190, kFormat3 = 0x200b, kPrivate3 = 0xe000;
constexpr std::uint32_t kLetter = 0x10000, kMark = 0x101fd, kNumber = 0x10107, kSign = 0x10100,
                        kSymbol = 0x1f300;

// In order. The first is a space to PCRE2 alone; surrogates are nothing to it.
constexpr Replaced kReplaced[] = {
    {0x00cf3, 0x00cf3, kMark3},   {0x00ece, 0x00ece, kMark3},   {0x0180e, 0x0180e, kFormat3},
    {0x02ffc, 0x02fff, kSymbol3}, {0x031ef, 0x031ef, kSymbol3}, {0x0d800, 0x0dfff, kPrivate3},
    {0x10efd, 0x10eff, kMark},    {0x1123f, 0x11240, kLetter},  {0x11241, 0x11241, kMark},
    {0x11b00, 0x11b09, kSign},    {0x11f00, 0x11f01, kMark},    {0x11f02, 0x11f02, kLetter},
    {0x11f03, 0x11f03, kMark},    {0x11f04, 0x11f10, kLetter},  {0x11f12, 0x11f33, kLetter},
    {0x11f34, 0x11f3a, kMark},    {0x11f3e, 0x11f42, kMark},    {0x11f43, 0x11f4f, kSign},
    {0x11f50, 0x11f59, kNumber},  {0x1342f, 0x1342f, kLetter},  {0x13440, 0x13440, kMark},
    {0x13441, 0x13446, kLetter},  {0x13447, 0x13455, kMark},    {0x1b132, 0x1b132, kLetter},
    {0x1b155, 0x1b155, kLetter},  {0x1d2c0, 0x1d2d3, kNumber},  {0x1df25, 0x1df2a, kLetter},
    {0x1e030, 0x1e06d, kLetter},  {0x1e08f, 0x1e08f, kMark},    {0x1e4d0, 0x1e4eb, kLetter},
    {0x1e4ec, 0x1e4ef, kMark},    {0x1e4f0, 0x1e4f9, kNumber},  {0x1f6dc, 0x1f6dc, kSymbol},
    {0x1f774, 0x1f776, kSymbol},  {0x1f77b, 0x1f77f, kSymbol},  {0x1f7d9, 0x1f7d9, kSymbol},
    {0x1fa75, 0x1fa77, kSymbol},  {0x1fa87, 0x1fa88, kSymbol},  {0x1faad, 0x1faaf, kSymbol},
    {0x1fabb, 0x1fabd, kSymbol},  {0x1fabf, 0x1fabf, kSymbol},  {0x1face, 0x1facf, kSymbol},
    {0x1fada, 0x1fadb, kSymbol},  {0x1fae8, 0x1fae8, kSymbol},  {0x1faf7, 0x1faf8, kSymbol},
    {0x2b739, 0x2b739, 0x2b738},  {0x2ebf0, 0x2ee5d, kLetter},  {0x31350, 0x323af, kLetter},
};

std::uint32_t known(std::uint32_t code) {
  const auto* const range =
      std::lower_bound(std::begin(kReplaced), std::end(kReplaced), code,
                       [](const Replaced& r, std::uint32_t c) { return r.last < c; });
  return range != std::end(kReplaced) && code >= range->first ? range->by : code;
}

}  // namespace

std::string read_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = decode_first(text).value_or(Character{kReplacement, 1});
    const std::size_t end = out.size();
    out.resize(end + utf8_bytes(character.code));
    write_utf8(character.code, out.data() + end);
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::string with_known_characters(std::string text) {
  for (std::size_t at = 0; at < text.size();) {
    const Character character = decode_first(std::string_view(text).substr(at)).value();
    if (character.code >= kReplaced[0].first) write_utf8(known(character.code), text.data() + at);
    at += character.bytes;
  }
  return text;
}

}  // namespace sluice::tokenizer
