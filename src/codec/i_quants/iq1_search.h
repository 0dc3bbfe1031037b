#pragma once

// The innermost search of IQ1_M and IQ1_S: the best codebook vector for each group of 8 weights at
// a given scale. One lane is one group, and a super-block's 32 groups fill the lanes: nothing is
// summed across lanes, so the width of a vector register cannot show in the result.

#include <cstddef>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::iq1 {

using simd::Floats;
using simd::Shorts;
/// A float for each of the 32 groups.
using GroupFloats = simd::Lanes<float, 32>;
using PartFloats = simd::Part<float>;

/// Of numbers, none of them NaN, the lesser or the greater, of two zeros either: on NEON one instruction
/// where min and max are two.
template <std::size_t N>
SLUICE_INLINE simd::Lanes<float, N> lesser(const simd::Lanes<float, N>& a,
                                           const simd::Lanes<float, N>& b) noexcept {
#if defined(SLUICE_NEON)
  simd::Lanes<float, N> result;
  for (std::size_t i = 0; i < a.kParts; ++i) result.part[i] = vminnmq_f32(a.part[i], b.part[i]);
  return result;
#else
  return min(a, b);
#endif
}
template <std::size_t N>
SLUICE_INLINE simd::Lanes<float, N> greater(const simd::Lanes<float, N>& a,
                                            const simd::Lanes<float, N>& b) noexcept {
#if defined(SLUICE_NEON)
  simd::Lanes<float, N> result;
  for (std::size_t i = 0; i < a.kParts; ++i) result.part[i] = vmaxnmq_f32(a.part[i], b.part[i]);
  return result;
#else
  return max(a, b);
#endif
}

inline constexpr std::size_t kElements = 256;  ///< of a super-block
inline constexpr std::size_t kWidth = 8;       ///< weights to a group
inline constexpr std::size_t kGroups = kElements / kWidth;
static_assert(kGroups == Shorts::kLanes);

/// The even groups come first, so that the two groups of 16 weights are lanes b and b + 16, and
/// what belongs to such a pair is the sum of two halves.
constexpr std::size_t lane_of_group(std::size_t group) noexcept {
  return group / 2 + group % 2 * (kGroups / 2);
}
SLUICE_INLINE Floats pair_sum(const GroupFloats& values) noexcept {
  return half(values, 0) + half(values, 1);
}

/// What shares in 12 bits are moved up by, to where prices are made of them.
#if defined(SLUICE_NEON)
inline constexpr int kShareShift = 0;
#else
inline constexpr int kShareShift = 4;
#endif

/// A super-block as the search needs it, turned so that weight j of every group is one vector.
struct Groups {
  GroupFloats x[kWidth];  ///< values
  Shorts share[kWidth];   ///< error weight w as a share of the group's largest: see kShareShift
  Shorts w[kWidth];       ///< the same in 12 bits: sums of 8 fit 16
  Shorts wx[kWidth];      ///< w x as a share of the group's largest, 12 bits and sign
  GroupFloats w_unit;     ///< what 1 of w stands for
  GroupFloats twice_wx_unit;
  GroupFloats shift_w;   ///< sum of w * shift^2
  GroupFloats shift_wx;  ///< twice the sum of w * x * shift, the shift being +1/8
};

/// A choice of code and shift for each group. At any scale s, not only the one that it was found
/// for, its error is sum w x^2 + s * (s * yy - twice_xy).
struct Choice {
  Shorts code;           ///< the codebook vector's number; kNegativeShift added for shift -1/8
  GroupFloats twice_xy;  ///< 2 * sum of w * x * (code + shift)
  GroupFloats yy;        ///< sum of w * (code + shift)^2
};
inline constexpr int kNegativeShift = 0x2000;

/// Importance of a super-block's columns.
struct Importance {
  GroupFloats q[kWidth];  ///< scaled by a power of two so that the largest is in [1, 2)
  float share;            ///< of their mean: what it is raised by where there is any
};

/// A super-block made ready: values scaled by a power of two so that their largest is in [1, 2) and
/// nothing can overflow or vanish that matters.
struct SuperBlock {
  Groups groups;
  GroupFloats wx[kWidth];  ///< error weights times values
  Floats likely_scale;     ///< of each pair of groups
  float unit;              ///< what values were divided by; 0 if all are zeros
  float xx;                ///< sum w x^2
};

/// The 16 values of groups 2b and 2b + 1 are lane b of 16 vectors, 8 for each.
void turn(const float* values, GroupFloats* turned) noexcept;

/// sigma2 is this times the super-block's mean x^2. Pull request #327 of ik_llama.cpp has 1.5, over
/// 32 weights. The larger it is, the nearer the weights are to importance alone. Both ends measure
/// worse on real models (KL divergence); from 3 to 8 there is little to choose.
inline constexpr float kSigma2 = 6.0f;

/// What importance is raised by, as a share of the super-block's mean, but for columns without any.
/// It was measured on some text; on another one columns matter otherwise, and more alike. From 0.2
/// to 0.7 there is little to choose.
inline constexpr float kMeanShare = 0.2f;

/// Null counts as all ones.
void load_importance(const float* importance, Importance& loaded) noexcept;

/// Makes a super-block ready, but for a unit of 0.
void load_values(const float* x, const Importance& importance, SuperBlock& block) noexcept;

/// Fills in all but unit, from the values in groups.x, with error weights
/// (q + share) * sqrt(sigma2 + x^2), next to none where q is 0.
void weigh(const Importance& importance, const GroupFloats& sigma2, SuperBlock& block) noexcept;

/// Fills in all but x, from error weights w and the products w x [kWidth].
void prepare(const GroupFloats* w, const GroupFloats* wx, Groups& groups) noexcept;

/// How many sets of moves a search tries: with all of them it is within a fraction of a percent of
/// the whole codebook's best, with few within 1 %.
inline constexpr std::size_t kAllSets = 12;
inline constexpr std::size_t kFewSets = 8;

/// The best code and shift of each group at its lane's scale, of those that `kSets` sets of moves
/// reach. A scale of (nearly) zero gives the zero code.
template <std::size_t kSets>
void search(const Groups& groups, const GroupFloats& scale, Choice& choice) noexcept;

/// The same for each shift: +1/8 and -1/8.
template <std::size_t kSets>
void search_shifts(const Groups& groups, const GroupFloats& scale, Choice& up,
                   Choice& down) noexcept;

/// The codes alone (see Choice) for values x, at the scale of each lane, for either shift.
/// \param share  see Groups
template <std::size_t kSets>
void nearest(const GroupFloats (&x)[kWidth], const Shorts (&share)[kWidth],
             const GroupFloats& scale, Shorts& up, Shorts& down) noexcept;

}  // namespace sluice::inline SLUICE_ISA::iq1
