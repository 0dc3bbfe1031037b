// Which tokens of two streams are put together, however they come.

#include "calibrate/pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace sluice::calibrate {
namespace {

/// Lacking and had of each pair, of inputs of one column.
using Found = std::vector<std::pair<float, float>>;

/// Sequences of three tokens. A token's input is its number.
Found pairs_of(const std::vector<std::uint32_t>& tokens, std::size_t at_once) {
  Found found;
  const auto keep = [&](const linear::ConstMatrix& lacking, const linear::ConstMatrix& had) {
    for (std::size_t r = 0; r < had.rows; ++r) found.emplace_back(*lacking.row(r), *had.row(r));
  };
  std::vector<float> x(tokens.begin(), tokens.end());
  Pairs pairs(1, 3);
  for (std::size_t first = 0; first < tokens.size(); first += at_once) {
    const std::size_t count = std::min(at_once, tokens.size() - first);
    pairs.add({x.data() + first, count, 1, 1}, {.listed = {tokens.data() + first, count}}, keep);
  }
  pairs.finish(keep);
  return found;
}

TEST(Pairs, AreOfTheSameTokenOfBothStreams) {
  const std::vector<std::uint32_t> all = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const Found expected = {{-3, 3}, {-3, 4}, {-3, 5}, {-3, 9}, {-3, 10}, {-3, 11}};
  for (const std::size_t at_once : {1U, 2U, 5U, 12U}) EXPECT_EQ(pairs_of(all, at_once), expected);
}

TEST(Pairs, LeaveOutWhatOnlyOneStreamHas) {
  EXPECT_EQ(pairs_of({0, 2, 4, 5, 7, 9, 11}, 3), (Found{{-3, 5}}));
  EXPECT_EQ(pairs_of({1, 10}, 1), Found());  // a place in the sequence is not enough
  EXPECT_EQ(pairs_of({0, 3, 9}, 1), (Found{{-3, 3}}));
  EXPECT_EQ(pairs_of({}, 1), Found());
}

}  // namespace
}  // namespace sluice::calibrate
