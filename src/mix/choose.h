#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Which of its types each item gets, so that the sum of costs is least within the bytes there are: the
// multiple-choice knapsack problem.

namespace sluice::mix {

/// A type that an item could have.
struct Candidate {
  std::uint64_t bytes = 0;
  double cost = 0;  ///< not negative; costs add up
};

/// A tensor, or several that go together; or bytes that there are whatever is chosen, as one candidate.
struct Item {
  std::string name;                   ///< for messages
  std::vector<Candidate> candidates;  ///< one or more, in any order
  std::size_t place = 0;              ///< index of the budget that it counts for
};

/// Bytes for the items of one place.
struct Budget {
  std::uint64_t bytes = 0;
  std::string name = {};  ///< for messages, as "the output"
};

/// What was chosen.
struct Chosen {
  std::vector<std::size_t> candidates;  ///< of each item, in its list
  std::vector<std::uint64_t> bytes;     ///< of each place
  double cost = 0;
};

/// The choice of the least cost within the budgets, or nearly: of a few items it is the best but
/// for one time in thousands, and of hundreds it is, as a rule, within a thousandth of a bound that no
/// choice is below. What is left of a budget is too little to make any item better: less than half a
/// percent, unless a few items are most of the model. The same for the same input, in any order of candidates.
/// \throws Error (usage) that names the smallest and the largest total, and what holds it, if a budget
///         is smaller than the smallest choice
Chosen choose(const std::vector<Item>& items, const std::vector<Budget>& budgets);

/// A choice as a whole.
struct Point {
  std::uint64_t bytes = 0;
  double cost = 0;
};

/// The best choices, from the smallest to the one of the least cost, as if all were in one place: those
/// for some Lagrange multiplier, between which the line is nearly reached. Bytes rise, cost falls.
std::vector<Point> frontier(const std::vector<Item>& items);

}  // namespace sluice::mix
