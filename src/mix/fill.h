#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mix/hull.h"

namespace sluice::mix {

/// Makes the best choice for a Lagrange multiplier the best for a budget, or nearly: what is left of the
/// bytes is filled, by candidates beside the hull too, and items shrink where others gain more.
///
/// By how much a choice costs more than the multiplier's bound is the penalties of its candidates and
/// what the bytes left would be worth. So only candidates whose penalty is below that gap of the best
/// choice so far can be in a better one. These are few, and looked at together, those of the least
/// penalty first; of combinations of about equal size the best one is kept. (D. Pisinger, A minimal
/// algorithm for the multiple-choice knapsack problem, 1995, keeps all that may become the best.)
///
/// \param over        the first step that is too large; a byte is worth what it is there
/// \param room        bytes left
/// \param enough      gap at which the search may end
/// \param candidates  of each item; none costs less, its bytes' worth included; is changed
void fill(std::span<const Item* const> items, const Step& over, std::uint64_t room, double enough,
          std::vector<std::size_t>& candidates);

}  // namespace sluice::mix
