#pragma once

// The innermost search of IQ1_M: the best codebook vector for each group of 8 weights at a given
// scale. One lane is one group, and a super-block's 32 groups fill the lanes: nothing is summed
// across lanes, so the width of a vector register cannot show in the result.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/iq1_m/block.h"

namespace sluice::inline SLUICE_ISA::iq1_m {

inline constexpr std::size_t kLanes = BlockIq1M::kGroups;
inline constexpr std::size_t kWidth = BlockIq1M::kGroupElements;

template <typename T>
struct alignas(64) Lanes : std::array<T, kLanes> {};

/// The even groups come first, so that the two groups of sub-block b are lanes b and b + 16, and
/// what belongs to a sub-block is the sum of two half registers.
constexpr std::size_t lane_of_group(std::size_t group) noexcept {
  return group / 2 + group % 2 * (kLanes / 2);
}

/// A super-block, turned so that weight j of every group is one array.
struct Groups {
  std::array<Lanes<float>, kWidth> x;  ///< values
  std::array<Lanes<float>, kWidth> w;  ///< error weights
  std::array<Lanes<float>, kWidth> wx;
  Lanes<float> sum_w;
  Lanes<float> sum_wx;
  /// w as a share of its group's largest, in 16 bits.
  std::array<Lanes<std::uint16_t>, kWidth> share;
};

/// A choice of code and shift for each group. At any scale s, not only the one that it was found
/// for, its error is sum w x^2 + s * (s * yy - 2 * xy).
struct Choice {
  Lanes<std::uint16_t> number;  ///< the codebook vector as a number, see codes.h
  Lanes<std::uint16_t> shift;   ///< 1: negative
  Lanes<float> xy;              ///< sum of w * x * (code + shift)
  Lanes<float> yy;              ///< sum of w * (code + shift)^2
};

/// Fills in sum_w, sum_wx, wx and share from x and w.
void prepare(Groups& groups) noexcept;

/// The best code and shift of each group at its lane's scale, within a fraction of a percent of
/// the whole codebook's best. A scale of (nearly) zero gives the zero code.
void search(const Groups& groups, const Lanes<float>& scale, Choice& choice) noexcept;

}  // namespace sluice::inline SLUICE_ISA::iq1_m
