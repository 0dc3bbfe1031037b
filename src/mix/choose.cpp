#include "mix/choose.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "mix/fill.h"
#include "mix/hull.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice::mix {
namespace {

using Items = std::vector<const Item*>;

struct Totals {
  std::uint64_t bytes = 0;
  double cost = 0;
};

Totals totals_of(const Items& items, const std::vector<std::size_t>& candidates) {
  Totals totals;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Candidate& candidate = items[i]->candidates[candidates[i]];
    totals.bytes += candidate.bytes;
    totals.cost += candidate.cost;
  }
  return totals;
}

std::string exact_bytes_text(std::uint64_t bytes) {
  return fmt::format("{} ({} bytes)", bytes_text(static_cast<double>(bytes)), bytes);
}

/// The items that take the most even when they are as small as they can be.
std::string largest_items(const Items& items, const Growth& growth) {
  std::vector<std::pair<std::uint64_t, const Item*>> sizes;
  for (std::size_t i = 0; i < items.size(); ++i) {
    sizes.emplace_back(items[i]->candidates[growth.smallest[i]].bytes, items[i]);
  }
  std::ranges::stable_sort(sizes, std::ranges::greater(),
                           [](const auto& size) { return size.first; });
  sizes.resize(std::min<std::size_t>(sizes.size(), 3));
  std::string text;
  for (const auto& [bytes, item] : sizes) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", printable(item->name),
                        bytes_text(static_cast<double>(bytes)));
  }
  return text;
}

[[noreturn]] void refuse(const Items& items, const Growth& growth, const Budget& budget) {
  const std::uint64_t smallest = totals_of(items, growth.smallest).bytes;
  std::uint64_t largest = smallest;
  for (const Step& step : growth.steps) largest += step.bytes;
  throw Error(
      ErrorCode::usage,
      fmt::format("{} cannot be as small as {}: the smallest choice of types takes {}, the largest "
                  "{}; the most of the smallest are {}",
                  budget.name.empty() ? "the output" : budget.name, exact_bytes_text(budget.bytes),
                  exact_bytes_text(smallest), exact_bytes_text(largest),
                  largest_items(items, growth)),
      {.cure = "Allow more bytes, or smaller types with --types"});
}

/// Of each item of one place.
std::vector<std::size_t> choose_within(const Items& items, const Budget& budget) {
  const Growth growth = growth_of(items);
  std::vector<std::size_t> candidates = growth.smallest;
  std::uint64_t bytes = totals_of(items, candidates).bytes;
  if (bytes > budget.bytes) refuse(items, growth, budget);
  for (const Step& step : growth.steps) {
    if (step.bytes > budget.bytes - bytes) {
      constexpr double kEnough = 1e-5;
      const double cost = totals_of(items, candidates).cost;
      fill(items, step, budget.bytes - bytes, kEnough * cost, candidates);
      break;
    }
    candidates[step.item] = step.to;
    bytes += step.bytes;
  }
  return candidates;
}

}  // namespace

Chosen choose(const std::vector<Item>& items, const std::vector<Budget>& budgets) {
  Chosen chosen;
  chosen.candidates.resize(items.size());
  for (std::size_t place = 0; place < budgets.size(); ++place) {
    Items here;
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].place != place) continue;
      here.push_back(&items[i]);
      indices.push_back(i);
    }
    const std::vector<std::size_t> candidates = choose_within(here, budgets[place]);
    for (std::size_t k = 0; k < indices.size(); ++k) chosen.candidates[indices[k]] = candidates[k];
    const Totals totals = totals_of(here, candidates);
    chosen.bytes.push_back(totals.bytes);
    chosen.cost += totals.cost;
  }
  return chosen;
}

std::vector<Point> frontier(const std::vector<Item>& items) {
  Items all;
  for (const Item& item : items) all.push_back(&item);
  const Growth growth = growth_of(all);
  const Totals smallest = totals_of(all, growth.smallest);
  std::vector<Point> points{{smallest.bytes, smallest.cost}};
  for (const Step& step : growth.steps) {
    points.push_back({points.back().bytes + step.bytes, points.back().cost - step.gain});
  }
  return points;
}

}  // namespace sluice::mix
