// Which rows stand for a matrix.

#include "measure/row_sample.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::measure {
namespace {

std::uint64_t rows_of(const std::vector<RowRun>& runs) {
  std::uint64_t rows = 0;
  for (const RowRun& run : runs) rows += run.count;
  return rows;
}

TEST(RowSample, HasAllRowsOfASmallMatrix) {
  for (const std::uint64_t rows : {1, 2, 15, 64, 100, 191, 192}) {
    const std::vector<RowRun> runs = sampled_rows(rows, 1, 512);
    EXPECT_EQ(rows_of(runs), rows);
  }
}

TEST(RowSample, IsSpreadOverAllOfTheMatrixAndHasNoRowTwice) {
  for (const std::uint64_t rows : {193, 1024, 5632, 32000, 262144}) {
    for (const std::uint64_t row_bytes : {1, 512, 4096, 100'000, 10'000'000}) {
      const std::vector<RowRun> runs = sampled_rows(rows, 1, row_bytes);
      EXPECT_GE(rows_of(runs), 192u);
      EXPECT_LT(rows_of(runs), 224u);
      EXPECT_GE(runs.size(), 16u);
      std::uint64_t passed = 0;
      for (std::size_t i = 0; i < runs.size(); ++i) {
        EXPECT_GE(runs[i].first, passed);
        passed = runs[i].first + runs[i].count;
        EXPECT_LT(runs[i].first, rows * (i + 1) / runs.size());
      }
      EXPECT_LE(passed, rows);
    }
  }
}

TEST(RowSample, HasRowsOfEveryExpertFromFewPlaces) {
  const std::vector<RowRun> runs = sampled_rows(8192, 128, 10240);
  EXPECT_GE(rows_of(runs), 64u);
  EXPECT_LT(rows_of(runs), 64u + runs.size());
  EXPECT_EQ(runs.size(), 3u);  // of 256 KiB at most
}

TEST(RowSample, HasSomeExpertsOnlyWhereEachWouldBeReadWhole) {
  EXPECT_EQ(sampled_matrices(128, false).size(), 128u);
  EXPECT_EQ(sampled_matrices(3, true), (std::vector<std::uint64_t>{0, 1, 2}));
  const std::vector<std::uint64_t> some = sampled_matrices(128, true);
  EXPECT_EQ(some.size(), 16u);
  for (std::size_t i = 0; i < some.size(); ++i) EXPECT_EQ(some[i], 8 * i + 4);
}

}  // namespace
}  // namespace sluice::measure
