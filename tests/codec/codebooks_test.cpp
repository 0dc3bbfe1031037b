// Codebooks against the plain lists of their entries, and the sign rule against its definition.

#include "codec/i_quants/codebooks.h"

#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "codec/i_quants/signs.h"

namespace sluice {
namespace {

template <std::size_t kEntries, std::size_t kWidth>
void expect_equals_list(const Codebook<kEntries, kWidth>& codebook, const std::string& list) {
  std::ifstream file(SLUICE_TEST_DATA "/grids/" + list);
  ASSERT_TRUE(file) << list;
  std::set<std::vector<int>> seen;
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    std::vector<int> expected(kWidth);
    for (int& value : expected) ASSERT_TRUE(file >> value) << list << " ends at entry " << entry;
    EXPECT_EQ(std::vector<int>(codebook[entry].begin(), codebook[entry].end()), expected)
        << list << " entry " << entry;
    seen.insert(expected);
  }
  int rest;
  EXPECT_FALSE(file >> rest) << list << " has more than " << kEntries << " entries";
  EXPECT_EQ(seen.size(), kEntries) << list << " has duplicates";
}

TEST(Codebooks, EqualTheListsEntryByEntry) {
  expect_equals_list(kIq1sCodebook, "iq1s_grid.txt");
  expect_equals_list(kIq2xxsCodebook, "iq2xxs_grid.txt");
  expect_equals_list(kIq2xsCodebook, "iq2xs_grid.txt");
  expect_equals_list(kIq2sCodebook, "iq2s_grid.txt");
  expect_equals_list(kIq3xxsCodebook, "iq3xxs_grid.txt");
  expect_equals_list(kIq3sCodebook, "iq3s_grid.txt");
}

TEST(Signs, IndexIsTheLowBitsAndTheCountIsEven) {
  for (unsigned index = 0; index < 128; ++index) {
    const unsigned signs = expand_signs(index);
    EXPECT_EQ(signs & 0x7fu, index);
    EXPECT_EQ(std::popcount(signs) % 2, 0) << index;
  }
}

}  // namespace
}  // namespace sluice
