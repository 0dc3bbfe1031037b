// The best choice for a size, against all choices that there are, and by what must hold of any.

#include "mix/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "sluice/error.h"

namespace sluice::mix {
namespace {

using Random = std::mt19937;

/// Items like tensors: costs fall as bytes rise, as a rule, and neither in even steps.
std::vector<Item> random_items(Random& random, std::size_t count, std::size_t most_candidates) {
  std::vector<Item> items(count);
  for (Item& item : items) {
    item.name = "item" + std::to_string(&item - items.data());
    const std::uint64_t size = 1 + random() % 200;
    const double scale = std::exp2(static_cast<double>(random() % 8));
    const std::size_t candidates = 1 + random() % most_candidates;
    for (std::size_t k = 0; k < candidates; ++k) {
      const std::uint64_t bits = random() % 16;
      const double noise = 0.5 + static_cast<double>(random() % 1000) / 1000;
      item.candidates.push_back(
          {size * bits, scale * noise * static_cast<double>(size) * std::exp2(-double(bits))});
    }
  }
  return items;
}

std::uint64_t bytes_of(const std::vector<Item>& items, const std::vector<std::size_t>& candidates) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < items.size(); ++i) bytes += items[i].candidates[candidates[i]].bytes;
  return bytes;
}

double cost_of(const std::vector<Item>& items, const std::vector<std::size_t>& candidates) {
  double cost = 0;
  for (std::size_t i = 0; i < items.size(); ++i) cost += items[i].candidates[candidates[i]].cost;
  return cost;
}

/// The next choice of all, as one counts. \returns false after the last
bool advance(const std::vector<Item>& items, std::vector<std::size_t>& candidates) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (++candidates[i] < items[i].candidates.size()) return true;
    candidates[i] = 0;
  }
  return false;
}

/// The least cost within the budget; infinite: nothing is.
double least_cost(const std::vector<Item>& items, std::uint64_t budget) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> candidates(items.size());
  do {
    if (bytes_of(items, candidates) <= budget) least = std::min(least, cost_of(items, candidates));
  } while (advance(items, candidates));
  return least;
}

std::uint64_t extreme_bytes(const std::vector<Item>& items, bool largest) {
  std::uint64_t bytes = 0;
  for (const Item& item : items) {
    const auto [least, most] =
        std::ranges::minmax(item.candidates, {}, [](const Candidate& c) { return c.bytes; });
    bytes += largest ? most.bytes : least.bytes;
  }
  return bytes;
}

TEST(Choose, IsTheBestOfAllChoices) {
  Random random(17);
  int not_the_best = 0;
  int hull_falls_short = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const std::vector<Item> items = random_items(random, 1 + random() % 6, 4);
    const std::uint64_t smallest = extreme_bytes(items, false);
    const std::uint64_t budget = smallest + random() % (2 + extreme_bytes(items, true) - smallest);
    const Chosen chosen = choose(items, {{budget}});
    ASSERT_LE(bytes_of(items, chosen.candidates), budget);
    EXPECT_EQ(bytes_of(items, chosen.candidates), chosen.bytes.at(0));
    EXPECT_EQ(cost_of(items, chosen.candidates), chosen.cost);
    const double least = least_cost(items, budget);
    EXPECT_LE(chosen.cost, least * 1.01) << trial;
    not_the_best += chosen.cost > least * (1 + 1e-5) ? 1 : 0;
    double on_hull = 0;
    for (const Point& point : frontier(items))
      on_hull = point.bytes <= budget ? point.cost : on_hull;
    hull_falls_short += on_hull > least * 1.01 ? 1 : 0;
  }
  EXPECT_LE(not_the_best, 2);
  // What there is beside the hull matters for few items, or nothing would be shown.
  EXPECT_GT(hull_falls_short, 200);
}

TEST(Choose, ManyItemsFillTheBudget) {
  Random random(18);
  const std::vector<Item> items = random_items(random, 2000, 12);
  const std::uint64_t smallest = extreme_bytes(items, false);
  // No choice costs less than the line between two of the hull's.
  const std::vector<Point> points = frontier(items);
  for (const double share : {0.02, 0.1, 0.3, 0.7, 0.95}) {
    const std::uint64_t budget =
        smallest +
        static_cast<std::uint64_t>(share * static_cast<double>(points.back().bytes - smallest));
    const Chosen chosen = choose(items, {{budget}});
    EXPECT_LE(chosen.bytes[0], budget);
    EXPECT_GT(static_cast<double>(chosen.bytes[0]), 0.9999 * static_cast<double>(budget)) << share;
    const auto above =
        std::ranges::find_if(points, [&](const Point& point) { return point.bytes > budget; });
    const auto below = above - 1;
    const double bound = below->cost + (above->cost - below->cost) *
                                           (static_cast<double>(budget - below->bytes) /
                                            static_cast<double>(above->bytes - below->bytes));
    EXPECT_LT(chosen.cost, bound * 1.001) << share;
  }
}

TEST(Choose, TheOrderOfCandidatesDoesNotMatter) {
  Random random(19);
  for (int trial = 0; trial < 50; ++trial) {
    const std::vector<Item> items = random_items(random, 40, 8);
    const std::uint64_t budget =
        (extreme_bytes(items, false) + extreme_bytes(items, true)) / (2 + random() % 3);
    std::vector<Item> shuffled = items;
    for (Item& item : shuffled) std::ranges::shuffle(item.candidates, random);
    if (budget < extreme_bytes(items, false)) continue;
    const Chosen one = choose(items, {{budget}});
    const Chosen two = choose(shuffled, {{budget}});
    EXPECT_EQ(one.bytes, two.bytes);
    EXPECT_EQ(one.cost, two.cost);
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_EQ(items[i].candidates[one.candidates[i]].bytes,
                shuffled[i].candidates[two.candidates[i]].bytes);
    }
    EXPECT_EQ(choose(items, {{budget}}).candidates, one.candidates);
  }
}

TEST(Choose, EqualBytesAndEqualCosts) {
  const std::vector<Item> items = {
      {"cheaper of equal bytes", {{10, 3}, {10, 2}, {10, 2.5}}},
      {"smaller of equal costs", {{30, 1}, {20, 1}, {40, 1}}},
      {"nothing to choose", {{7, 5}}},
      {"all alike", {{5, 1}, {5, 1}}},
      {"larger and worse", {{8, 1}, {16, 2}}},
  };
  for (const std::uint64_t budget : {50u, 51u, 1000u}) {
    const Chosen chosen = choose(items, {{budget}});
    EXPECT_EQ(chosen.candidates, (std::vector<std::size_t>{1, 1, 0, 0, 0}));
    EXPECT_EQ(chosen.bytes, std::vector<std::uint64_t>{50});
    EXPECT_EQ(chosen.cost, 2 + 1 + 5 + 1 + 1);
  }
}

TEST(Choose, NothingToChoose) {
  EXPECT_EQ(choose({}, {{0}}).bytes, std::vector<std::uint64_t>{0});
  EXPECT_EQ(choose({{"empty", {{0, 0}}}}, {{0}}).candidates, std::vector<std::size_t>{0});
}

TEST(Choose, EachPlaceHasItsBudget) {
  Random random(20);
  std::vector<Item> items = random_items(random, 60, 8);
  std::vector<std::vector<Item>> apart(3);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].place = random() % 3;
    apart[items[i].place].push_back(items[i]);
    apart[items[i].place].back().place = 0;
  }
  std::vector<Budget> budgets;
  double cost = 0;
  std::vector<std::uint64_t> bytes;
  for (const std::vector<Item>& place : apart) {
    budgets.push_back({(extreme_bytes(place, false) + extreme_bytes(place, true)) / 2});
    const Chosen chosen = choose(place, {budgets.back()});
    bytes.push_back(chosen.bytes[0]);
    cost += chosen.cost;
  }
  const Chosen together = choose(items, budgets);
  EXPECT_EQ(together.bytes, bytes);
  EXPECT_EQ(together.cost, cost);
}

TEST(Choose, TooSmallABudgetSaysWhatHoldsIt) {
  const std::vector<Item> items = {{"header", {{1000, 0}}},
                                   {"token_embd.weight", {{70000, 1}, {50000, 2}}},
                                   {"output.weight", {{90000, 0}}},
                                   {"blk.0.ffn_up.weight", {{100, 3}, {60000, 1}}}};
  EXPECT_EQ(choose(items, {{141100}}).bytes[0], 141100u);
  try {
    choose(items, {{141099, "the output"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_STREQ(
        error.what(),
        "the output cannot be as small as 137.8 KiB (141099 bytes): the smallest choice of "
        "types takes 137.8 KiB (141100 bytes), the largest 215.8 KiB (221000 bytes); the "
        "most of the smallest are output.weight 87.9 KiB, token_embd.weight 48.8 KiB, "
        "header 1000 B. Allow more bytes, or smaller types with --types");
  }
}

TEST(Frontier, RisesInBytesAndFallsInCostEverSlower) {
  Random random(21);
  const std::vector<Item> items = random_items(random, 30, 10);
  const std::vector<Point> points = frontier(items);
  EXPECT_EQ(points.front().bytes, extreme_bytes(items, false));
  double last = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < points.size(); ++i) {
    ASSERT_GT(points[i].bytes, points[i - 1].bytes);
    const double slope = (points[i - 1].cost - points[i].cost) /
                         static_cast<double>(points[i].bytes - points[i - 1].bytes);
    EXPECT_GT(slope, 0);
    EXPECT_LE(slope, last * (1 + 1e-9));
    last = slope;
  }
  double least = 0;
  for (const Item& item : items) {
    least += std::ranges::min(item.candidates, {}, &Candidate::cost).cost;
  }
  EXPECT_NEAR(points.back().cost, least, 1e-9 * points.front().cost);
}

}  // namespace
}  // namespace sluice::mix
