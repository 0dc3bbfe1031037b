#include "tokenizer/byte_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace sluice::tokenizer {
namespace {

constexpr std::size_t kLongestToken = 1024;  // its merge takes the square of this
constexpr std::uint64_t kNoRank = std::numeric_limits<std::uint64_t>::max();

/// Texts are those of the list, which stays where it is.
using Ranks = std::unordered_map<std::string_view, std::uint64_t>;

std::uint64_t rank_of(const Ranks& ranks, std::string_view bytes) {
  const auto found = ranks.find(bytes);
  return found == ranks.end() ? kNoRank : found->second;
}

/// Where a token's bytes are joined last: the size of the left part. Nothing if tokens of lower rank
/// join them otherwise than to two parts.
std::optional<std::size_t> last_join(const Ranks& ranks, const RankedToken& token) {
  const std::string_view bytes = token.bytes;
  struct Part {
    std::size_t begin;
    std::uint64_t rank_with_next;
  };
  std::vector<Part> parts(bytes.size());
  const auto set_rank = [&](std::size_t i) {
    if (i + 1 >= parts.size()) {
      parts[i].rank_with_next = kNoRank;
      return;
    }
    const std::size_t end = i + 2 < parts.size() ? parts[i + 2].begin : bytes.size();
    parts[i].rank_with_next = rank_of(ranks, bytes.substr(parts[i].begin, end - parts[i].begin));
  };
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].begin = i;
  for (std::size_t i = 0; i < parts.size(); ++i) set_rank(i);
  while (true) {
    const auto first = std::min_element(parts.begin(), parts.end(), [](auto& a, auto& b) {
      return a.rank_with_next < b.rank_with_next;
    });
    if (first->rank_with_next >= token.rank) break;
    const auto i = static_cast<std::size_t>(first - parts.begin());
    parts.erase(first + 1);
    set_rank(i);
    if (i > 0) set_rank(i - 1);
  }
  return parts.size() == 2 ? std::optional(parts[1].begin) : std::nullopt;
}

std::array<std::string, 256> byte_letters() {
  std::array<std::string, 256> letters;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < letters.size(); ++byte) {
    const bool is_seen = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const unsigned code = is_seen ? byte : next++;
    if (code < 0x80) {
      letters[byte] = static_cast<char>(code);
    } else {
      letters[byte] = {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
    }
  }
  return letters;
}

void check(const RankedToken& token, std::uint64_t first_id, const std::string& file) {
  if (token.bytes.empty() || token.bytes.size() > kLongestToken) {
    fail(file, fmt::format("the token of rank {} has {} bytes; 1 to {} are possible", token.rank,
                           token.bytes.size(), kLongestToken));
  }
  if (token.rank >= kMostTokens - first_id) {
    fail(file, fmt::format("a token has the rank {}; no vocabulary has that many", token.rank));
  }
}

}  // namespace

std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  std::string bytes;
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  return bytes;
}

std::string to_byte_letters(std::string_view bytes) {
  static const std::array<std::string, 256> kLetters = byte_letters();
  std::string text;
  for (const char byte : bytes) text += kLetters[static_cast<std::uint8_t>(byte)];
  return text;
}

Tokens tokens_of_ranks(std::vector<RankedToken> list, std::uint64_t first_id,
                       const std::string& file) {
  std::sort(list.begin(), list.end(),
            [](const RankedToken& a, const RankedToken& b) { return a.rank < b.rank; });
  Tokens tokens{.model = "gpt2", .pre = {}, .vocabulary = {}};
  Ranks ranks;
  for (const RankedToken& token : list) {
    check(token, first_id, file);
    const std::uint64_t id = first_id + token.rank;
    if (tokens.vocabulary.has(id) || !ranks.emplace(token.bytes, token.rank).second) {
      fail(file, fmt::format("the token '{}' of rank {} or its rank is there twice",
                             printable(token.bytes), token.rank));
    }
    tokens.vocabulary.set(id, to_byte_letters(token.bytes), TokenType::normal);
  }
  for (const RankedToken& token : list) {
    if (const std::optional<std::size_t> left = last_join(ranks, token)) {
      tokens.merges.add(to_byte_letters(std::string_view(token.bytes).substr(0, *left)) + ' ' +
                        to_byte_letters(std::string_view(token.bytes).substr(*left)));
    }
  }
  return tokens;
}

}  // namespace sluice::tokenizer
