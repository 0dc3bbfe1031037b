#include "sluice/nearest_name.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace sluice {
namespace {

char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

// The least number of letters to insert, delete or replace, and of neighbours to swap (optimal
// string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  // Rows of the usual table: distances from a prefix of `a` to all prefixes of `b`.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  const auto same = [&](std::size_t i, std::size_t j) { return upper(a[i]) == upper(b[j]); };
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({row[j] + 1, last[j + 1] + 1, last[j] + (same(i, j) ? 0 : 1)});
      if (i > 0 && j > 0 && same(i, j - 1) && same(i - 1, j)) {
        row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
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
