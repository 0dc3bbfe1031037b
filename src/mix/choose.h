#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Which of its types each item gets, so that the sum of costs is least within the bytes there are.

namespace sluice::mix {

/// A type that an item could have.
struct Candidate {
  std::uint64_t bytes = 0;
  double cost = 0;  ///< not negative; costs add up
};

/// A tensor, or several that go together.
struct Item {
  std::string name;                   ///< for messages
  std::vector<Candidate> candidates;  ///< one or more, in any order
  std::size_t place = 0;              ///< index of the budget that it counts for
};

/// What was chosen.
struct Chosen {
  std::vector<std::size_t> candidates;  ///< of each item, in its list
  std::vector<std::uint64_t> bytes;     ///< of each place
  double cost = 0;
};

/// The convex hull of each item's candidates, a Lagrange multiplier for each place, and what is left
/// of the bytes filled with what gains the most; the same for the same input, in any order of candidates.
/// \param budgets  bytes of each place
/// \throws Error (usage) that names the smallest and the largest total, and what holds it, if a budget
///         is smaller than the smallest choice
Chosen choose(const std::vector<Item>& items, const std::vector<std::uint64_t>& budgets);

/// All choices on the hull of one place, by rising bytes.
std::vector<Chosen> frontier(const std::vector<Item>& items);

}  // namespace sluice::mix
