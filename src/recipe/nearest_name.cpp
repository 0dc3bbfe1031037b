#include <algorithm>
#include <cctype>
#include <numeric>

#include "sluice/recipe_text.h"

namespace sluice {
namespace {

char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

// The least number of letters to insert, delete or replace (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (upper(a[i]) == upper(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_name(std::string_view text, const std::vector<std::string_view>& names) {
  constexpr std::size_t kLongest = 64;  // what is longer is no misspelled name
  if (text.empty() || text.size() > kLongest) return {};
  std::string_view nearest;
  std::size_t least = 1 + std::max<std::size_t>(1, text.size() / 3);
  for (const std::string_view name : names) {
    const std::size_t letters = distance(text, name);
    // Of two as near, what was left out is likelier than what was typed in excess.
    if (letters < least || (letters == least && name.size() > nearest.size() && !nearest.empty())) {
      least = letters;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace sluice
