#include "base/interval_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace sluice {
namespace {

std::vector<Interval> intervals_of(const IntervalSet& set) {
  std::vector<Interval> all;
  set.for_each([&](Interval interval) { all.push_back(interval); });
  return all;
}

TEST(IntervalSet, MergesWhatTouches) {
  IntervalSet set;
  set.add({10, 20});
  set.add({30, 40});
  set.add({5, 5});
  EXPECT_EQ(intervals_of(set), (std::vector<Interval>{{10, 20}, {30, 40}}));
  set.add({20, 30});
  EXPECT_EQ(intervals_of(set), (std::vector<Interval>{{10, 40}}));
  EXPECT_EQ(set.size(), 30u);
}

TEST(IntervalSet, FirstGapIsWhatIsMissing) {
  IntervalSet set;
  set.add({10, 20});
  set.add({30, 40});
  EXPECT_EQ(set.first_gap({0, 50}), (Interval{0, 10}));
  EXPECT_EQ(set.first_gap({10, 50}), (Interval{20, 30}));
  EXPECT_EQ(set.first_gap({35, 50}), (Interval{40, 50}));
  EXPECT_EQ(set.first_gap({12, 18}), std::nullopt);
  EXPECT_EQ(set.first_gap({25, 25}), std::nullopt);
}

// Against a set of single numbers.
TEST(IntervalSet, AgreesWithASetOfNumbers) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    IntervalSet set;
    std::set<std::uint64_t> numbers;
    for (int k = 0; k < 30; ++k) {
      const std::uint64_t begin = random() % 100;
      const std::uint64_t end = begin + random() % 12;
      set.add({begin, end});
      for (std::uint64_t i = begin; i < end; ++i) numbers.insert(i);

      const std::uint64_t from = random() % 100;
      const std::uint64_t to = from + random() % 30;
      std::uint64_t common = 0;
      for (std::uint64_t i = from; i < to; ++i) common += numbers.count(i);
      ASSERT_EQ(set.size(), numbers.size());
      ASSERT_EQ(set.overlap({from, to}), common);
      ASSERT_EQ(set.contains({from, to}), common == to - from);
      const std::optional<Interval> gap = set.first_gap({from, to});
      ASSERT_EQ(gap.has_value(), common < to - from);
      if (gap) {
        for (std::uint64_t i = from; i < gap->begin; ++i) ASSERT_TRUE(numbers.count(i));
        for (std::uint64_t i = gap->begin; i < gap->end; ++i) ASSERT_FALSE(numbers.count(i));
        ASSERT_TRUE(gap->end == to || numbers.count(gap->end));
      }
    }
    std::uint64_t last_end = 0;
    for (const Interval interval : intervals_of(set)) {
      ASSERT_TRUE(last_end == 0 || interval.begin > last_end) << "neighbours must be merged";
      last_end = interval.end;
    }
  }
}

}  // namespace
}  // namespace sluice
