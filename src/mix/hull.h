#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mix/choose.h"

namespace sluice::mix {

/// The candidates that have less cost than all smaller ones, by rising bytes; of equals the first.
std::vector<std::size_t> worthwhile(const Item& item);

/// What an item gains by growing from one candidate on its hull to the next.
struct Step {
  std::size_t item = 0;
  std::size_t to = 0;       ///< candidate
  std::uint64_t bytes = 0;  ///< more
  double gain = 0;          ///< less cost

  /// Cost for a byte.
  double worth() const { return gain / static_cast<double>(bytes); }
};

/// Each item's candidates of the least bytes and all steps from there, the most worth first. What the
/// first so many of them lead to is the best choice of its size.
struct Growth {
  std::vector<std::size_t> smallest;
  std::vector<Step> steps;
};
Growth growth_of(std::span<const Item* const> items);

}  // namespace sluice::mix
