#pragma once

#include <string>
#include <string_view>

namespace sluice::mix {

/// What matches the letter in a regular expression, and nothing else.
inline std::string pattern_of(char letter) {
  constexpr std::string_view kSpecial = R"(\^$.|?*+()[]{})";
  return kSpecial.find(letter) == kSpecial.npos ? std::string(1, letter)
                                                : std::string{'\\', letter};
}

}  // namespace sluice::mix
