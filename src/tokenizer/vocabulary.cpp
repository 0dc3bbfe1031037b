#include "tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::tokenizer {

void Vocabulary::resize(std::uint64_t size) {
  texts_.resize(size);
  scores_.resize(size);
  types_.resize(size, kNone);
}

void Vocabulary::set(std::uint64_t id, std::string text, TokenType type, float score) {
  if (id >= size()) resize(id + 1);
  texts_[id] = std::move(text);
  scores_[id] = score;
  types_[id] = static_cast<std::int32_t>(type);
}

void Vocabulary::fill(std::uint64_t size, float score) {
  resize(size);
  for (std::uint64_t id = 0; id < size; ++id) {
    if (!has(id)) set(id, fmt::format("[PAD{}]", id), TokenType::unused, score);
  }
}

bool looks_special(std::string_view text) {
  constexpr std::string_view kWhole[] = {"<pad>", "<mask>", "<2mass>", "[@BOS@]"};
  constexpr std::pair<std::string_view, std::string_view> kEnds[] = {
      {"<|", "|>"}, {"<\uff5c", "\uff5c>"}, {"<unused", ">"}};
  return std::find(std::begin(kWhole), std::end(kWhole), text) != std::end(kWhole) ||
         std::any_of(std::begin(kEnds), std::end(kEnds), [&](const auto& ends) {
           return text.starts_with(ends.first) && text.ends_with(ends.second);
         });
}

std::string with_spaces(std::string_view text) {
  constexpr std::string_view kSpace = "\u2581";
  std::string out;
  while (!text.empty()) {
    const bool is_space = text.starts_with(kSpace);
    out += is_space ? ' ' : text.front();
    text.remove_prefix(is_space ? kSpace.size() : 1);
  }
  return out;
}

bool is_byte_token(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  return text.size() == 6 && text.starts_with("<0x") && text.ends_with('>') &&
         text.substr(3, 2).find_first_not_of(kDigits) == std::string_view::npos;
}

}  // namespace sluice::tokenizer
