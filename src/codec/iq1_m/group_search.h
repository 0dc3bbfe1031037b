#pragma once

// The innermost search of IQ1_M and IQ1_S: the best codebook vector for each group of 8 weights at a given
// scale. One lane is one group, and a super-block's 32 groups fill the lanes: nothing is summed
// across lanes, so the width of a vector register cannot show in the result.

#include <cstddef>
#include <cstdint>

#include "codec/iq1_m/block.h"
#include "codec/iq1_m/lanes.h"

namespace sluice::inline SLUICE_ISA::iq1_m {

inline constexpr std::size_t kWidth = BlockIq1M::kGroupElements;
static_assert(kLanes == BlockIq1M::kGroups);

/// The even groups come first, so that the two groups of sub-block b are lanes b and b + 16, and
/// what belongs to a sub-block is the sum of two halves.
constexpr std::size_t lane_of_group(std::size_t group) noexcept {
  return group / 2 + group % 2 * (kLanes / 2);
}

/// A float for each of the 32 lanes.
struct Halves {
  Floats half[2];
};

/// A super-block as the search needs it, turned so that weight j of every group is one vector.
struct Groups {
  Halves x[kWidth];      ///< values
  Shorts share[kWidth];  ///< error weight w as a share of the group's largest, 16 bits
  Shorts w[kWidth];      ///< the same in 12 bits: sums of 8 fit 16
  Shorts wx[kWidth];     ///< w x as a share of the group's largest, 12 bits and sign
  Halves w_unit;         ///< what 1 of w stands for
  Halves wx_unit;
  Halves sum_w;
  Halves sum_wx;
};

/// A choice of code and shift for each group. At any scale s, not only the one that it was found
/// for, its error is sum w x^2 + s * (s * yy - twice_xy).
struct Choice {
  Shorts code;      ///< the codebook vector's number (codes.h); kNegativeShift added for shift -1/8
  Halves twice_xy;  ///< 2 * sum of w * x * (code + shift)
  Halves yy;        ///< sum of w * (code + shift)^2
};
inline constexpr int kNegativeShift = 0x2000;

/// Fills in all but x, from error weights w and the products w x [kWidth].
void prepare(const Halves* w, const Halves* wx, Groups& groups) noexcept;

/// How many sets of moves a search tries: with all of them it is within a fraction of a percent of
/// the whole codebook's best, with few within 1 %.
inline constexpr std::size_t kAllSets = 12;
inline constexpr std::size_t kFewSets = 8;

/// The best code and shift of each group at its lane's scale, of those that `kSets` sets of moves
/// reach. A scale of (nearly) zero gives the zero code.
template <std::size_t kSets>
void search(const Groups& groups, const Halves& scale, Choice& choice) noexcept;

/// The same for each shift: +1/8 and -1/8.
template <std::size_t kSets>
void search_shifts(const Groups& groups, const Halves& scale, Choice& up, Choice& down) noexcept;

}  // namespace sluice::inline SLUICE_ISA::iq1_m
