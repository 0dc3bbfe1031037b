#pragma once

// What the searches of IQ1_M and IQ1_S found, and what is chosen of it.

#include <cstddef>

#include "codec/i_quants/iq1_search.h"
#include "codec/super_scale.h"

namespace sluice::inline SLUICE_ISA::iq1 {

/// The multiples of a super-block's or row's scale that sub-blocks may have: first, first + step, ...
struct Multiples {
  int first = 1;
  int step = 2;
  int count = 8;

  constexpr float operator[](int i) const noexcept { return static_cast<float>(first + step * i); }
  constexpr float last() const noexcept { return (*this)[count - 1]; }
};
/// Of types whose scale l stands for 2 * l + 1.
inline constexpr Multiples kOddMultiples;
inline constexpr int kScales = kOddMultiples.count;

/// A super-block decided, but for d.
struct Solution {
  Floats multiple;  ///< of each sub-block
  Shorts code;      ///< see Choice
  float xy = 0;     ///< sum of w * x * y, y being the decoded value for d = 1
  float yy = 0;
};

/// What was found, in `kFound` searches. Where a sub-block's groups share a shift, the best for
/// either shift, of which each sub-block takes one.
template <typename Type, std::size_t kFound>
struct Found {
  static constexpr std::size_t kCount = kFound;
  static constexpr std::size_t kShifts = Type::kSharedShift ? 2 : 1;
  Choice choice[kShifts][kFound];
};

template <std::size_t kSets, typename Found>
void search_into(const Groups& groups, const Floats& scale, Found& found, std::size_t n) noexcept {
  if constexpr (Found::kShifts == 2) {
    search_shifts<kSets>(groups, join(scale, scale), found.choice[0][n], found.choice[1][n]);
  } else {
    search<kSets>(groups, join(scale, scale), found.choice[0][n]);
  }
}

/// The sum over each sub-block, in each of its lanes, of sums over pairs of groups.
template <typename Type, std::size_t N>
simd::Lanes<float, N> sub_block_sum(const simd::Lanes<float, N>& pairs) noexcept {
  static_assert(Type::kSubBlock == 16 || Type::kSubBlock == 32);
  if constexpr (Type::kSubBlock == 16) {
    return pairs;
  } else {
    simd::Lanes<float, N> others;
    for (std::size_t i = 0; i < pairs.kParts; ++i) {
      others.part[i] = simd::Machine::swap_neighbours(pairs.part[i]);
    }
    return pairs + others;
  }
}
template <typename Type>
Floats sub_block_sum(const GroupFloats& values) noexcept {
  return sub_block_sum<Type>(pair_sum(values));
}

/// Factors of the super-block scale that are tried: outside of these the error is hardly ever smaller.
inline constexpr ScaleTrials kScaleTrials = {.count = 16, .lowest = 0.6f, .step = 0.045f};

}  // namespace sluice::inline SLUICE_ISA::iq1
