#pragma once

// The nearest entry of IQ2_XXS's codebook of magnitudes, signs included.
//
// A group's signs are the signs of its values, but the number of minus signs must be even: if it is
// odd, one sign is wrong, and best so at the position where that costs least, which depends on the
// entry. With g the entry's magnitudes the error at scale s is that of coding zeros plus
// s * s * norm - 2 * s * dot, where norm = sum w g g, and dot = sum w |x| g, less twice the
// smallest of its terms if one sign is wrong. Neither depends on the scale: they are computed once
// a group, each from two halves of four magnitudes, and every scale then tries all 256 entries.
//
// One lane is one group, and a super-block's 32 groups fill the lanes. The search is in 16-bit
// fixed point, 32 lanes to a 512-bit register: prices are rounded to about 2^-14 of what the lane's
// largest entry sums to. What is found is then measured in floats.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/lattice/lanes.h"
#include "codec/lattice/weighting.h"

namespace sluice::inline SLUICE_ISA {

inline constexpr std::size_t kGroupSize = 8;
inline constexpr std::size_t kLaneHalves = 2;  ///< the 32 lanes are two times kLanes

/// Group k of sub-block b is lane 8 * (k % 2) + b of half k / 2. Position j of half h is row
/// 2 * j + h. What belongs to a sub-block is so the sum of two halves and of two lanes 8 apart.
using GroupRows = std::array<Lanes, kGroupSize * kLaneHalves>;
using Groups = WeightedLanes<kGroupSize * kLaneHalves>;

/// Lays out 256 values.
void to_group_rows(const float* values, GroupRows& rows) noexcept;

/// The best codes of each group at some scale, the first of equals. The error of the sub-block is
/// that of coding zeros plus scale * scale * norm - 2 * scale * dot.
struct NearestEntries {
  std::array<std::array<std::int32_t, kLanes>, kLaneHalves> index;
  Lanes dot;   ///< of a lane's sub-block
  Lanes norm;  ///< of a lane's sub-block
};

/// A group's codes as the format has them, and the values they stand for.
struct SignedEntries {
  GroupRows y;  ///< +-magnitude
  std::array<std::array<std::int32_t, kLanes>, kLaneHalves> sign_index;
};

class SignedSearch {
 public:
  static constexpr std::size_t kMaxTrials = 12;

  /// Scales up to `largest_scale` can be searched; larger ones are searched as if a little smaller.
  SignedSearch(const Groups& groups, const Lanes& largest_scale) noexcept;

  /// What the best codes at `trials` scales, from `lowest` to 1 times the largest scale in equal
  /// steps, take off each sub-block's error (negative numbers, rounded).
  void try_scales(std::size_t trials, float lowest,
                  std::array<Lanes, kMaxTrials>& errors) const noexcept;

  NearestEntries nearest(const Lanes& scale) const noexcept;

  /// The entries with the signs of x, one of them changed, at the least cost, if the number of
  /// minus signs is odd.
  SignedEntries with_signs(const NearestEntries& entries) const noexcept;

 private:
  struct alignas(64) Shorts : std::array<std::int16_t, kLaneHalves * kLanes> {};

  void sum_entries() noexcept;
  void measure(NearestEntries& entries) const noexcept;

  const Groups& groups_;
  Lanes largest_scale_;
  GroupRows wx_;                         // w |x|
  std::array<Lanes, kLaneHalves> odd_;   // 1: the number of minus signs is odd
  std::array<Lanes, kLaneHalves> unit_;  // what 1 stands for
  std::array<Shorts, 256> dot_;          // [entry]
  std::array<Shorts, 256> norm_;         // [entry] times largest_scale; not signed
};

}  // namespace sluice::inline SLUICE_ISA
