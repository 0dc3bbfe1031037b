#include "codec/i_quants/iq1_search.h"

#include <array>
#include <bit>
#include <cstdint>
#include <limits>

#include "codec/i_quants/iq1_codebook.h"
#include "codec/i_quants/iq1_moves.h"
#include "codec/i_quants/iq1_neon.h"

namespace sluice::inline SLUICE_ISA::iq1 {
namespace {

// At a given scale and shift the best ternary vector is known coordinate by coordinate, and so is
// the price of moving a coordinate to its second best value (0 to the nearer of +-1, or +-1 to 0).
// About 60 % of the best vectors are in the codebook. For the others the best entry is nearly
// always reached by moving a few of the cheapest coordinates: so the prices are sorted, a few sets
// of moves are tried, and the cheapest that lands in the codebook wins. Measured over the scales
// that an encoder asks for, the summed error is 0.1 % above that of the whole codebook.
//
// All of it is in 16-bit integers: the same on any machine, 32 to a 512-bit register, and both
// shifts go side by side.

static_assert(kAllSets == kMoveSets.size() + 1, "the empty set is one");

#if !defined(SLUICE_NEON)

/// How far a search for one shift has come.
template <std::size_t kSets>
struct Shifted {
  PartShorts keys[kWidth];
  PartShorts numbers[kSets];
  PartShorts prices[kSets];
  PartShorts number = kZeroVector;  // of the cheapest set in the codebook; should there be none
  PartShorts price = kNoPrice + kTooDear;

  /// \param place  the values on the scale of the codes, whose steps are kStep
  /// \param shift  of the codes, likewise
  /// \param share  see Groups
  SLUICE_INLINE void make_keys(const PartShorts* place, std::int16_t shift,
                               const PartShorts* share) noexcept {
    numbers[0] = kVectors - 1;  // all ones
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kWidth; ++j) {
      // The sign of `beyond` tells +-1 from 0, the sign of y +-1 from each other. The code is 1,
      // less 1 for a y below zero, less 1 again if a move would raise it.
      const PartShorts y = place[j] - shift;
      const PartShorts beyond = abs(y) - kStep / 2;
      const PartShorts raises = beyond ^ y;  // its sign
      const PartShorts power = kPowersOf3[j];
      if constexpr (kMasksAreLanes) {
        const PartShorts steps =
            simd::shift_right_unsigned<15>(y) + simd::shift_right_unsigned<15>(raises);
        numbers[0] -= steps * power;
      } else {
        numbers[0] = subtract_where(negative(y), numbers[0], power);
        numbers[0] = subtract_where(negative(raises), numbers[0], power);
      }
      const PartShorts cost = multiply_high_unsigned(share[j], abs(beyond));
      keys[j] = append_sign((cost & ~((1 << kCoordinateBits) - 1)) | static_cast<std::int16_t>(j),
                            raises);
    }
  }

  SLUICE_INLINE void sort() noexcept {
#pragma GCC unroll 18
    for (std::size_t i = 0; i < kSortingNetwork.size(); ++i) {
      PartShorts& low = keys[kSortingNetwork[i].first];
      PartShorts& high = keys[kSortingNetwork[i].second];
      const PartShorts a = low;
      low = min(a, high);
      high = max(a, high);
    }
  }

  /// The vectors of all sets, and their prices.
  SLUICE_INLINE void make_moves() noexcept {
    PartShorts steps[kPlaces];
    for (std::size_t place = 0; place < kPlaces; ++place) {
      steps[place] = kMoveSteps.look_up(keys[place]);
    }
    prices[0] = kNoPrice;
#pragma GCC unroll 12
    for (std::size_t set = 1; set < kSets; ++set) {
      const auto [from, place] = kMoveSets[set - 1];
      numbers[set] = numbers[from] + steps[place];
      prices[set] = add_saturated(prices[from], keys[place]);
    }
  }

  SLUICE_INLINE void prepare(const PartShorts* place, std::int16_t shift,
                             const PartShorts* share) noexcept {
    make_keys(place, shift, share);
    sort();
    make_moves();
  }

  SLUICE_INLINE void keep_if_cheaper(std::size_t set, const PartMask& in_codebook) noexcept {
    if constexpr (kMasksAreLanes) {
      // Prices are negative: zero is dearer.
      const PartShorts asked = prices[set] & PartShorts(in_codebook.part[0]);
      number = select(asked < price, numbers[set], number);
      price = min(asked, price);
    } else {
      const PartMask better = less_where(in_codebook, prices[set], price);
      number = select(better, numbers[set], number);
      price = select(better, prices[set], price);
    }
  }
};

/// Measures the vectors `number` with a shift of kSign / 8.
template <int kSign>
SLUICE_INLINE void measure(const Groups& groups, const Shorts& number, Choice& choice) noexcept {
  const Shorts flags = flags_of(number);
  Shorts wx = 0;     // sum w x code
  Shorts plus = 0;   // sum w where the code is 1
  Shorts minus = 0;  // and where it is -1
  if constexpr (simd::Machine::kAppliesSigns) {
    Shorts difference = 0;
    Shorts sum = 0;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kWidth; ++j) {
      // A code's two flags, moved to the top, are a number of its sign.
      const Shorts sign = (flags & static_cast<std::int16_t>(3 << (2 * j))) *
                          static_cast<std::int16_t>(1 << (14 - 2 * j));
      const Shorts w = apply_sign(groups.w[j], sign);
      wx += apply_sign(groups.wx[j], sign);
      difference += w;
      sum += abs(w);
    }
    plus = simd::shift_right_unsigned<1>(sum + difference);
    minus = sum - plus;
  } else {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kWidth; ++j) {
      const simd::ShortMask positive = any_bit(flags, 1 << (2 * j));
      const simd::ShortMask negative = any_bit(flags, 2 << (2 * j));
      wx = add_where(positive, wx, groups.wx[j]);
      plus = add_where(positive, plus, groups.w[j]);
      wx = subtract_where(negative, wx, groups.wx[j]);
      minus = add_where(negative, minus, groups.w[j]);
    }
  }
  constexpr float kDelta = kSign * kIq1Delta;
  // (1 + delta)^2 where the code is 1, (1 - delta)^2 where it is -1, delta^2 anywhere else.
  const GroupFloats codes = to_floats(widen(wx)) * groups.twice_wx_unit;
  choice.twice_xy = kSign > 0 ? codes + groups.shift_wx : codes - groups.shift_wx;
  choice.yy =
      (to_floats(widen(plus)) * (1 + 2 * kDelta) + to_floats(widen(minus)) * (1 - 2 * kDelta)) *
          groups.w_unit +
      groups.shift_w;
}

/// The search, inlined in all of its forms.
template <std::size_t kSets>
SLUICE_INLINE void find(const GroupFloats (&x)[kWidth], const Shorts (&share)[kWidth],
                        const GroupFloats& scale, Shorts& up, Shorts& down) noexcept {
  const GroupFloats inverse = select(scale > 0x1p-60f, GroupFloats(kStep) / scale, 0);
  Shorts places[kWidth];
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kWidth; ++j) {
    constexpr float kMost = kFarthest * kStep;
    places[j] = narrow(to_ints(clamp(x[j] * inverse, -kMost, kMost)));
  }
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    PartShorts place[kWidth];
    PartShorts share_of[kWidth];
    for (std::size_t j = 0; j < kWidth; ++j) {
      place[j] = part_of(places[j], part);
      share_of[j] = part_of(share[j], part);
    }
    Shifted<kSets> plus;
    Shifted<kSets> minus;
    plus.prepare(place, kShift, share_of);
    minus.prepare(place, -kShift, share_of);
    take_cheapest<kSets>(plus, minus);
    set_part(up, part, plus.number);
    set_part(down, part, minus.number | kNegativeShift);
  }
}

/// The search and what it found is worth.
template <std::size_t kSets>
SLUICE_INLINE void find_and_measure(const Groups& groups, const GroupFloats& scale, Choice& up,
                                    Choice& down) noexcept {
  find<kSets>(groups.x, groups.share, scale, up.code, down.code);
  measure<1>(groups, up.code, up);
  measure<-1>(groups, down.code & (kNegativeShift - 1), down);
}

template <std::size_t kSets>
SLUICE_INLINE void find_better(const Groups& groups, const GroupFloats& scale,
                               Choice& choice) noexcept {
  Choice other;
  find_and_measure<kSets>(groups, scale, choice, other);
  const auto better = scale * other.yy - other.twice_xy < scale * choice.yy - choice.twice_xy;
  choice.twice_xy = select(better, other.twice_xy, choice.twice_xy);
  choice.yy = select(better, other.yy, choice.yy);
  choice.code = select(narrow(better), other.code, choice.code);
}

#endif

/// The power of two at or below `magnitude`, within the range whose inverse is a normal number.
float power_of_two_below(float magnitude) noexcept {
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(magnitude) >> 23;
  return std::bit_cast<float>((exponent < 1 ? 1u : exponent > 253 ? 253u : exponent) << 23);
}

/// 0.5 with the numbers' signs.
GroupFloats half_like(const GroupFloats& numbers) noexcept {
  using Bits = simd::Lanes<std::int32_t, kGroups>;
  constexpr auto kHalf = std::bit_cast<std::int32_t>(0.5f);
  constexpr auto kSign = std::numeric_limits<std::int32_t>::min();
  return simd::bits_of<GroupFloats>((simd::bits_of<Bits>(numbers) & kSign) | kHalf);
}

float largest_of(const GroupFloats* values) noexcept {
  GroupFloats result = 0;
  for (std::size_t j = 0; j < kWidth; ++j) result = greater(result, abs(values[j]));
  return reduce_max(greater(half(result, 0), half(result, 1)));
}

/// No importance, as a share of the super-block's largest, counts as this much: groups without any
/// are still coded near their values, at no cost to the others.
constexpr float kLeastImportance = 0x1p-60f;

/// Products too small to invert are as good as none.
constexpr float kLeastProduct = 0x1p-100f;

#if defined(SLUICE_NEON)

/// Registers 2i and 2i + 1 of groups.
using TwoParts = simd::Lanes<float, 2 * PartFloats::kLanes>;
SLUICE_INLINE TwoParts parts_of(const GroupFloats& values, std::size_t i) noexcept {
  TwoParts parts;
  parts.part[0] = values.part[2 * i];
  parts.part[1] = values.part[2 * i + 1];
  return parts;
}
SLUICE_INLINE void set_parts(GroupFloats& values, std::size_t i, const TwoParts& parts) noexcept {
  values.part[2 * i] = parts.part[0];
  values.part[2 * i + 1] = parts.part[1];
}

/// Error weights of a super-block's values, and sums over each group's. Two registers at a time, so that
/// sums stay in them.
SLUICE_INLINE void weigh(const Importance& importance, const GroupFloats& sigma2, SuperBlock& block,
                         GroupFloats* w, GroupFloats& xx, GroupFloats& magnitudes) noexcept {
#pragma GCC unroll 1
  for (std::size_t i = 0; i < GroupFloats::kParts / 2; ++i) {
    const TwoParts share = importance.share;
    const TwoParts least = kLeastImportance;
    const TwoParts square = parts_of(sigma2, i);
    TwoParts some_xx = 0;
    TwoParts some_magnitudes = 0;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kWidth; ++j) {
      const TwoParts value = parts_of(block.groups.x[j], i);
      const TwoParts q = parts_of(importance.q[j], i);
      const TwoParts weight = select(q > 0, q + share, least) * sqrt(square + value * value);
      const TwoParts wx_j = weight * value;
      set_parts(w[j], i, weight);
      set_parts(block.wx[j], i, wx_j);
      some_xx += wx_j * value;
      some_magnitudes += abs(wx_j);
    }
    set_parts(xx, i, some_xx);
    set_parts(magnitudes, i, some_magnitudes);
  }
}

/// The largest magnitude of each group's numbers, and their sum.
SLUICE_INLINE void sum_up(const GroupFloats* numbers, GroupFloats& largest,
                          GroupFloats& sum) noexcept {
#pragma GCC unroll 1
  for (std::size_t i = 0; i < GroupFloats::kParts / 2; ++i) {
    TwoParts some_largest = kLeastProduct;
    TwoParts some_sum = 0;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kWidth; ++j) {
      const TwoParts number = parts_of(numbers[j], i);
      some_sum += number;
      some_largest = greater(some_largest, abs(number));
    }
    set_parts(largest, i, some_largest);
    set_parts(sum, i, some_sum);
  }
}

#endif

}  // namespace

void turn(const float* values, GroupFloats* turned) noexcept {
#if defined(SLUICE_NEON)
  // Right to where they belong: half h of vector j is column 8h + j.
  float* const to = reinterpret_cast<float*>(turned);
  for (std::size_t b = 0; b < kGroups / 2; b += 4) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 2 * kWidth; j += 4) {
      simd::transpose_4x4(values + 2 * kWidth * b + j, 2 * kWidth,
                          to + kGroups * (j % kWidth) + kGroups / 2 * (j / kWidth) + b, kGroups);
    }
  }
#else
  Floats columns[2 * kWidth];
  simd::transpose(values, columns);
  for (std::size_t j = 0; j < kWidth; ++j) turned[j] = join(columns[j], columns[kWidth + j]);
#endif
}

void load_importance(const float* importance, Importance& loaded) noexcept {
  if (importance == nullptr) {
    for (GroupFloats& q : loaded.q) q = 1;
    loaded.share = 0;  // of ones, any share is the same
    return;
  }
  turn(importance, loaded.q);
  const GroupFloats factor = 1.0f / power_of_two_below(largest_of(loaded.q));
  GroupFloats sums = 0;
  for (GroupFloats& q : loaded.q) {
    q = q * factor;
    sums = sums + q;
  }
  loaded.share = kMeanShare / kElements * reduce_sum(pair_sum(sums));
}

void load_values(const float* x, const Importance& importance, SuperBlock& block) noexcept {
  turn(x, block.groups.x);
  const float largest = largest_of(block.groups.x);
  block.unit = largest > 0 ? power_of_two_below(largest) : 0;
  if (block.unit == 0) return;
  const GroupFloats factor = 1.0f / block.unit;
  GroupFloats squares = 0;
  for (GroupFloats& x_j : block.groups.x) {
    const GroupFloats value = x_j * factor;
    x_j = value;
    squares += value * value;
  }
  const GroupFloats sigma2 = kSigma2 / kElements * reduce_sum(pair_sum(squares));
  weigh(importance, sigma2, block);
}

void weigh(const Importance& importance, const GroupFloats& sigma2, SuperBlock& block) noexcept {
  GroupFloats w[kWidth];
#if defined(SLUICE_NEON)
  GroupFloats xx;
  GroupFloats magnitudes;
  weigh(importance, sigma2, block, w, xx, magnitudes);
#else
  GroupFloats xx = 0;
  GroupFloats magnitudes = 0;
  for (std::size_t j = 0; j < kWidth; ++j) {
    const GroupFloats value = block.groups.x[j];
    const GroupFloats q = importance.q[j];
    const GroupFloats raised = select(q > 0, q + importance.share, kLeastImportance);
    const GroupFloats weight = raised * sqrt(sigma2 + value * value);
    const GroupFloats wx = weight * value;
    w[j] = weight;
    block.wx[j] = wx;
    xx += wx * value;
    magnitudes += abs(wx);
  }
#endif
  block.xx = reduce_sum(pair_sum(xx));
  // A mean magnitude that leans to the values that will not be coded as zeros. (Of no weight at
  // all: 0.)
  block.likely_scale = pair_sum(xx) / max(pair_sum(magnitudes), 0x1p-120f);
  prepare(w, block.wx, block.groups);
}

void prepare(const GroupFloats* w, const GroupFloats* wx, Groups& groups) noexcept {
  constexpr float kMost = 4095;
#if defined(SLUICE_NEON)
  GroupFloats largest_w;
  GroupFloats largest_wx;
  GroupFloats sum_w;
  GroupFloats sum_wx;
  sum_up(w, largest_w, sum_w);
  sum_up(wx, largest_wx, sum_wx);
#else
  GroupFloats largest_w = kLeastProduct;
  GroupFloats largest_wx = kLeastProduct;
  GroupFloats sum_w = 0;
  GroupFloats sum_wx = 0;
  for (std::size_t j = 0; j < kWidth; ++j) {
    sum_w += w[j];
    sum_wx += wx[j];
    largest_w = greater(largest_w, w[j]);
    largest_wx = greater(largest_wx, abs(wx[j]));
  }
#endif
  groups.shift_w = sum_w * (kIq1Delta * kIq1Delta);
  groups.shift_wx = sum_wx * (2 * kIq1Delta);
  groups.w_unit = largest_w * (1 / kMost);
  groups.twice_wx_unit = largest_wx * (2 / kMost);
  const GroupFloats w_factor = GroupFloats(kMost) / largest_w;
  const GroupFloats wx_factor = GroupFloats(kMost) / largest_wx;
  for (std::size_t j = 0; j < kWidth; ++j) {
    const GroupFloats scaled = wx[j] * wx_factor;
    const Shorts rounded_w = narrow(to_ints(w[j] * w_factor + 0.5f));
    groups.w[j] = rounded_w;
    groups.share[j] = simd::shift_left<kShareShift>(rounded_w);
    groups.wx[j] = narrow(to_ints(scaled + half_like(scaled)));
  }
}

template <std::size_t kSets>
void nearest(const GroupFloats (&x)[kWidth], const Shorts (&share)[kWidth],
             const GroupFloats& scale, Shorts& up, Shorts& down) noexcept {
  find<kSets>(x, share, scale, up, down);
}

template <std::size_t kSets>
void search_shifts(const Groups& groups, const GroupFloats& scale, Choice& up,
                   Choice& down) noexcept {
  find_and_measure<kSets>(groups, scale, up, down);
}

template <std::size_t kSets>
void search(const Groups& groups, const GroupFloats& scale, Choice& choice) noexcept {
  find_better<kSets>(groups, scale, choice);
}

template void nearest<kAllSets>(const GroupFloats (&)[kWidth], const Shorts (&)[kWidth],
                                const GroupFloats&, Shorts&, Shorts&) noexcept;
template void search_shifts<kAllSets>(const Groups&, const GroupFloats&, Choice&, Choice&) noexcept;
template void search_shifts<kFewSets>(const Groups&, const GroupFloats&, Choice&, Choice&) noexcept;
template void search<kAllSets>(const Groups&, const GroupFloats&, Choice&) noexcept;
template void search<kFewSets>(const Groups&, const GroupFloats&, Choice&) noexcept;

}  // namespace sluice::inline SLUICE_ISA::iq1
