#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/lexicon.h"

namespace sluice::tokenizer {

/// A part of a text: a special token, or what is yet to be encoded.
struct TextPart {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::int32_t token = -1;  ///< -1: none
};

/// Finds the texts of special tokens.
class SpecialTexts {
 public:
  /// \param lexicon  has to live as long
  explicit SpecialTexts(const Lexicon& lexicon);

  /// Takes the longest tokens first, wherever they are, then shorter ones in what is left.
  std::vector<TextPart> partition(std::string_view text, bool with_control) const;

 private:
  /// Texts of one length. They are few, and looked for at nearly every place.
  struct Length {
    std::size_t bytes;
    std::bitset<256> begins;  ///< whether one of them begins with this byte
    std::unordered_map<std::string_view, std::int32_t> ids;
    bool all_control;
  };

  void cut(std::string_view text, TextPart part, const Length& length, bool with_control,
           std::vector<TextPart>& out) const;
  std::int32_t find(std::string_view text, const Length& length, bool with_control) const;

  const Lexicon& lexicon_;
  std::vector<Length> lengths_;  ///< the longest first
};

}  // namespace sluice::tokenizer
