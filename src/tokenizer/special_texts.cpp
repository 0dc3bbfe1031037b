#include "tokenizer/special_texts.h"

#include <functional>
#include <map>

namespace sluice::tokenizer {
namespace {

bool is_c_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

SpecialTexts::SpecialTexts(const Lexicon& lexicon) : lexicon_(lexicon) {
  std::map<std::size_t, Length, std::greater<>> lengths;
  for (std::size_t id = 0; id < lexicon.texts.size(); ++id) {
    if (lexicon.roles[id] == Role::word) continue;
    const std::string& text = lexicon.texts[id];
    Length& length =
        lengths.try_emplace(text.size(), Length{text.size(), {}, {}, true}).first->second;
    length.begins.set(static_cast<std::uint8_t>(text.front()));
    length.ids.emplace(text, static_cast<std::int32_t>(id));
    length.all_control = length.all_control && lexicon.roles[id] == Role::control;
  }
  for (auto& [bytes, length] : lengths) lengths_.push_back(std::move(length));
}

std::int32_t SpecialTexts::find(std::string_view text, const Length& length,
                                bool with_control) const {
  if (!length.begins[static_cast<std::uint8_t>(text.front())]) return -1;
  const auto found = length.ids.find(text);
  if (found == length.ids.end()) return -1;
  const Role role = lexicon_.roles[static_cast<std::size_t>(found->second)];
  return role == Role::user_defined || with_control ? found->second : -1;
}

void SpecialTexts::cut(std::string_view text, TextPart part, const Length& length,
                       bool with_control, std::vector<TextPart>& out) const {
  for (std::size_t at = part.begin; at + length.bytes <= part.end;) {
    const std::int32_t token = find(text.substr(at, length.bytes), length, with_control);
    if (token < 0) {
      ++at;
      continue;
    }
    if (at > part.begin) out.push_back({part.begin, at, -1});
    out.push_back({at, at + length.bytes, token});
    at += length.bytes;
    while (lexicon_.strips[static_cast<std::size_t>(token)] && at < part.end &&
           is_c_space(text[at])) {
      ++at;
    }
    part.begin = at;
  }
  if (part.begin < part.end) out.push_back({part.begin, part.end, -1});
}

std::vector<TextPart> SpecialTexts::partition(std::string_view text, bool with_control) const {
  std::vector<TextPart> parts;
  if (!text.empty()) parts.push_back({0, text.size(), -1});
  std::vector<TextPart> next;
  for (const Length& length : lengths_) {
    if (length.all_control && !with_control) continue;
    next.clear();
    for (const TextPart& part : parts) {
      if (part.token >= 0) {
        next.push_back(part);
      } else {
        cut(text, part, length, with_control, next);
      }
    }
    parts.swap(next);
  }
  return parts;
}

}  // namespace sluice::tokenizer
