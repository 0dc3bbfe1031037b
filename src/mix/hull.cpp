#include "mix/hull.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace sluice::mix {
namespace {

Step step_between(const Item& item, std::size_t from, std::size_t to) {
  const Candidate& small = item.candidates[from];
  const Candidate& large = item.candidates[to];
  return {.to = to, .bytes = large.bytes - small.bytes, .gain = small.cost - large.cost};
}

/// The lower convex hull: each step is worth less than the one before.
std::vector<std::size_t> hull_of(const Item& item) {
  std::vector<std::size_t> hull;
  for (const std::size_t next : worthwhile(item)) {
    while (hull.size() > 1 && step_between(item, hull[hull.size() - 2], hull.back()).worth() <=
                                  step_between(item, hull.back(), next).worth()) {
      hull.pop_back();
    }
    hull.push_back(next);
  }
  return hull;
}

}  // namespace

std::vector<std::size_t> worthwhile(const Item& item) {
  std::vector<std::size_t> order(item.candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) {
    return std::tuple(item.candidates[i].bytes, item.candidates[i].cost, i);
  });
  std::vector<std::size_t> kept;
  for (const std::size_t i : order) {
    if (kept.empty() || item.candidates[i].cost < item.candidates[kept.back()].cost) {
      kept.push_back(i);
    }
  }
  return kept;
}

Growth growth_of(std::span<const Item* const> items) {
  Growth growth;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::vector<std::size_t> hull = hull_of(*items[i]);
    growth.smallest.push_back(hull.front());
    for (std::size_t k = 1; k < hull.size(); ++k) {
      growth.steps.push_back(step_between(*items[i], hull[k - 1], hull[k]));
      growth.steps.back().item = i;
    }
  }
  // Steps of an item stay in their order.
  std::ranges::stable_sort(growth.steps, std::ranges::greater(), &Step::worth);
  return growth;
}

}  // namespace sluice::mix
