#pragma once

// The inner loops of iq1_search.cpp for NEON: what they find is the same, in half the steps and within
// the registers. Comparisons give the masks that codes are made of, a multiplication gives just those
// bits of a price that a key has, and the moves at two places are looked up at once.

#if defined(SLUICE_NEON)

#include "codec/i_quants/iq1_moves.h"
#include "codec/i_quants/iq1_search.h"

namespace sluice::inline SLUICE_ISA::iq1 {
namespace {

using Short = simd::Machine::Short;

/// The bytes of what moves add to a vector's number, the low ones and the high ones.
constexpr auto kStepBytes = [] {
  std::array<std::array<std::uint8_t, kMoves>, 2> bytes{};
  for (std::size_t move = 0; move < kMoves; ++move) {
    const auto step = static_cast<std::uint16_t>(step_of_move(move));
    bytes[0][move] = static_cast<std::uint8_t>(step);
    bytes[1][move] = static_cast<std::uint8_t>(step >> 8);
  }
  return bytes;
}();

SLUICE_INLINE Short splat(int value) noexcept {
  return vdupq_n_s16(static_cast<std::int16_t>(value));
}

/// sum + a * kPowersOf3[kLane]. Of vmlaq_laneq g++ makes two instructions, or three.
template <int kLane>
SLUICE_INLINE Short add_multiple(Short sum, const Short& a) noexcept {
  __asm__("mla %0.8h, %1.8h, %2.h[%3]"
          : "+w"(sum)
          : "w"(a), "x"(vld1q_s16(kPowersOf3.data())), "i"(kLane));
  return sum;
}

/// The search for one shift, for as many groups as fill a register.
template <std::size_t kSets>
struct NeonSearch {
  static constexpr std::size_t kUsed = kSets == kAllSets ? kPlaces : kPlaces - 1;

  Short keys[kWidth];  ///< 11 bits of the price, the coordinate, whether its code is raised
  Short number;        ///< of the vector without moves
  Short steps[kPlaces + 1];
  Short bits[kPlaces];  ///< moves, as those of kWaysIn

  template <int kCoordinate>
  SLUICE_INLINE void make_key(const Short& place, const Short& shift, const Short& share) noexcept {
    const Short half = splat(kStep / 2);
    const Short magnitude = vabdq_s16(place, shift);
    const Short negative = shift > place;
    const Short raises = (half > magnitude) ^ negative;
    // Masks are -1: from +1 a code goes down by one for each.
    number = add_multiple<kCoordinate>(number, negative + raises);
    // Twice the product, of which the lower 16 bits are dropped: share * distance / 2^15.
    const Short price = vqdmulhq_s16(share, vabdq_s16(magnitude, half));
    keys[kCoordinate] = vsliq_n_s16(splat(2 * kCoordinate) - raises, price, kCoordinateBits + 1);
  }

  SLUICE_INLINE void make_keys(const Short* place, int shift, const Shorts* share,
                               std::size_t part) noexcept {
    const Short shifts = splat(shift);
    number = splat(kVectors - 1);
    make_key<0>(place[0], shifts, share[0].part[part]);
    make_key<1>(place[1], shifts, share[1].part[part]);
    make_key<2>(place[2], shifts, share[2].part[part]);
    make_key<3>(place[3], shifts, share[3].part[part]);
    make_key<4>(place[4], shifts, share[4].part[part]);
    make_key<5>(place[5], shifts, share[5].part[part]);
    make_key<6>(place[6], shifts, share[6].part[part]);
    make_key<7>(place[7], shifts, share[7].part[part]);
  }

  SLUICE_INLINE void sort() noexcept {
#pragma GCC unroll 18
    for (const auto& [low, high] : kSortingNetwork) {
      const Short a = keys[low];
      keys[low] = vminq_s16(a, keys[high]);
      keys[high] = vmaxq_s16(a, keys[high]);
    }
  }

  SLUICE_INLINE void look_up_moves() noexcept {
#pragma GCC unroll 5
    for (std::size_t at = 0; at < kUsed; ++at) {
      steps[at] = keys[at] & 15;
      bits[at] = vshlq_s16(splat(1), steps[at]);
    }
    if constexpr (kUsed % 2 != 0) steps[kUsed] = steps[kUsed - 1];
#pragma GCC unroll 3
    for (std::size_t at = 0; at < kUsed; at += 2) {
      const uint8x16_t moves = vuzp1q_u8((uint8x16_t)steps[at], (uint8x16_t)steps[at + 1]);
      const uint8x16_t low = vqtbl1q_u8(vld1q_u8(kStepBytes[0].data()), moves);
      const uint8x16_t high = vqtbl1q_u8(vld1q_u8(kStepBytes[1].data()), moves);
      steps[at] = (Short)vzip1q_u8(low, high);
      steps[at + 1] = (Short)vzip2q_u8(low, high);
    }
  }

  /// The cheapest set of moves that lands in the codebook; should there be none, zeros.
  SLUICE_INLINE Short cheapest() const noexcept {
    Short numbers[kSets];
    Short prices[kSets];
    Short ways[kBegins<kSets>];
    numbers[0] = number;
#pragma GCC unroll 12
    for (std::size_t set = 1; set < kSets; ++set) {
      const auto [from, at] = kMoveSets[set - 1];
      numbers[set] = numbers[from] + steps[at];
      prices[set] = from == 0 ? keys[at] : (Short)vqaddq_s16(prices[from], keys[at]);
    }
#pragma GCC unroll 4
    for (std::size_t set = 0; set < kBegins<kSets>; ++set) {
      ways[set] = simd::Machine::gather(kWaysIn.data(), numbers[set]);
    }
    // See take_cheapest(): the empty set lands where the way back from the first move's does.
    const uint16x8_t none = vtstq_s16(ways[1], vshlq_s16(splat(1), (keys[0] & 15) ^ 1));
    Short best = vbslq_s16(none, number, splat(kZeroVector));
    uint16x8_t price = vbicq_u16((uint16x8_t)splat(kTooDear), none);
#pragma GCC unroll 12
    for (std::size_t set = 1; set < kSets; ++set) {
      const auto [from, at] = kMoveSets[set - 1];
      // Beyond all prices where the set does not land in it.
      const uint16x8_t p = vornq_u16((uint16x8_t)prices[set], vtstq_s16(ways[from], bits[at]));
      best = vbslq_s16(vcltq_u16(p, price), numbers[set], best);
      price = vminq_u16(p, price);
    }
    return best;
  }

  SLUICE_INLINE Short find(const Short* place, int shift, const Shorts* share,
                           std::size_t part) noexcept {
    make_keys(place, shift, share, part);
    sort();
    look_up_moves();
    return cheapest();
  }
};

/// Codes for either shift, without its sign.
struct NeonFound {
  Short of_part[Shorts::kParts][2];  ///< +1/8 and -1/8
};

/// Steps that need most of the registers go one after the other over all parts: what g++ then keeps in
/// memory is what must be.
template <std::size_t kSets>
SLUICE_INLINE void find(const GroupFloats (&x)[kWidth], const Shorts (&share)[kWidth],
                        const GroupFloats& scale, NeonFound& found) noexcept {
  constexpr int kMost = static_cast<int>(kFarthest * kStep);
  Short place[Shorts::kParts][kWidth];
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    float32x4_t inverse[2];
    for (std::size_t half = 0; half < 2; ++half) {
      const float32x4_t s = scale.part[2 * part + half];
      inverse[half] = s > 0x1p-60f ? vdupq_n_f32(kStep) / s : vdupq_n_f32(0);
    }
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kWidth; ++j) {
      const int32x4_t low = vcvtq_s32_f32(x[j].part[2 * part] * inverse[0]);
      const int32x4_t high = vcvtq_s32_f32(x[j].part[2 * part + 1] * inverse[1]);
      const Short whole = vqmovn_high_s32(vqmovn_s32(low), high);
      place[part][j] = vminq_s16(vmaxq_s16(whole, splat(-kMost)), splat(kMost));
    }
  }
#pragma GCC unroll 1
  for (std::size_t n = 0; n < 2 * Shorts::kParts; ++n) {
    const std::size_t part = n / 2;
    found.of_part[part][n % 2] =
        NeonSearch<kSets>().find(place[part], n % 2 == 0 ? kShift : -kShift, share, part);
  }
}

/// The flags of each vector's coordinates, see kFlagsOfFour.
SLUICE_INLINE Short flags_of_vectors(const Short& number) noexcept {
  // number / 81, exact for all numbers: 25891 / 2^21 is 1 / 81 and 1.1e-7 more.
  const Short high = vqdmulhq_n_s16(number, 25891) >> 6;
  return kFlagsOfFour.look_up(PartShorts(vmlaq_n_s16(number, high, 256 - 81))).part[0];
}

/// What a part's vectors are worth with a shift: see Choice.
struct Worth {
  float32x4_t twice_xy[2];
  float32x4_t yy[2];
};

/// Sums over a part's vectors.
struct NeonSums {
  Short flags;
  Short wx = splat(0);     // sum w x code
  Short plus = splat(0);   // sum w where the code is 1
  Short minus = splat(0);  // and where it is -1

  explicit SLUICE_INLINE NeonSums(const Short& number) noexcept : flags(flags_of_vectors(number)) {}

  SLUICE_INLINE void add(std::size_t j, const Short& w, const Short& wx_j) noexcept {
    const Short positive = Short(vtstq_s16(flags, splat(1 << (2 * j))));
    const Short negative = Short(vtstq_s16(flags, splat(2 << (2 * j))));
    wx = vmlaq_s16(vmlsq_s16(wx, positive, wx_j), negative, wx_j);
    plus = vmlsq_s16(plus, positive, w);
    minus = vmlsq_s16(minus, negative, w);
  }

  /// For a shift of kSign / 8.
  template <int kSign>
  SLUICE_INLINE Worth worth(const Groups& groups, std::size_t part) const noexcept {
    // Four times (1 + delta)^2 - delta^2 where the code is 1, (1 - delta)^2 - delta^2 where it is -1.
    const Short& five = kSign > 0 ? plus : minus;
    const Short& three = kSign > 0 ? minus : plus;
    const int32x4_t sum_wx[2] = {vmovl_s16(vget_low_s16(wx)), vmovl_high_s16(wx)};
    const int32x4_t yy[2] = {
        vmlal_n_s16(vmull_n_s16(vget_low_s16(five), 5), vget_low_s16(three), 3),
        vmlal_high_n_s16(vmull_high_n_s16(five, 5), three, 3)};
    Worth worth;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t at = 2 * part + half;
      const auto codes = vcvtq_f32_s32(sum_wx[half]) * groups.twice_wx_unit.part[at];
      const auto shift = groups.shift_wx.part[at];
      worth.twice_xy[half] = kSign > 0 ? codes + shift : codes - shift;
      worth.yy[half] =
          vcvtq_n_f32_s32(yy[half], 2) * groups.w_unit.part[at] + groups.shift_w.part[at];
    }
    return worth;
  }
};

SLUICE_INLINE void measure(const Groups& groups, std::size_t part, const Short& up_number,
                           const Short& down_number, Worth& up, Worth& down) noexcept {
  NeonSums of_up(up_number);
  NeonSums of_down(down_number);
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kWidth; ++j) {
    of_up.add(j, groups.w[j].part[part], groups.wx[j].part[part]);
    of_down.add(j, groups.w[j].part[part], groups.wx[j].part[part]);
  }
  up = of_up.worth<1>(groups, part);
  down = of_down.worth<-1>(groups, part);
}

SLUICE_INLINE void store(std::size_t part, const Short& code, const Worth& worth,
                         Choice& choice) noexcept {
  choice.code.part[part] = code;
  for (std::size_t half = 0; half < 2; ++half) {
    choice.twice_xy.part[2 * part + half] = worth.twice_xy[half];
    choice.yy.part[2 * part + half] = worth.yy[half];
  }
}

template <std::size_t kSets>
SLUICE_INLINE void find(const GroupFloats (&x)[kWidth], const Shorts (&share)[kWidth],
                        const GroupFloats& scale, Shorts& up, Shorts& down) noexcept {
  NeonFound found;
  find<kSets>(x, share, scale, found);
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    up.part[part] = found.of_part[part][0];
    down.part[part] = found.of_part[part][1] | splat(kNegativeShift);
  }
}

template <std::size_t kSets>
SLUICE_INLINE void find_and_measure(const Groups& groups, const GroupFloats& scale, Choice& up,
                                    Choice& down) noexcept {
  NeonFound found;
  find<kSets>(groups.x, groups.share, scale, found);
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    const auto& [up_part, down_part] = found.of_part[part];
    Worth of_up;
    Worth of_down;
    measure(groups, part, up_part, down_part, of_up, of_down);
    store(part, up_part, of_up, up);
    store(part, down_part | splat(kNegativeShift), of_down, down);
  }
}

template <std::size_t kSets>
SLUICE_INLINE void find_better(const Groups& groups, const GroupFloats& scale,
                               Choice& choice) noexcept {
  NeonFound found;
  find<kSets>(groups.x, groups.share, scale, found);
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    const auto& [up, down] = found.of_part[part];
    Worth best;
    Worth other;
    measure(groups, part, up, down, best, other);
    int32x4_t better[2];
    for (std::size_t half = 0; half < 2; ++half) {
      const float32x4_t s = scale.part[2 * part + half];
      better[half] =
          s * other.yy[half] - other.twice_xy[half] < s * best.yy[half] - best.twice_xy[half];
      best.twice_xy[half] = better[half] ? other.twice_xy[half] : best.twice_xy[half];
      best.yy[half] = better[half] ? other.yy[half] : best.yy[half];
    }
    const uint16x8_t is_down = vuzp1q_u16((uint16x8_t)better[0], (uint16x8_t)better[1]);
    store(part, vbslq_s16(is_down, down | splat(kNegativeShift), up), best, choice);
  }
}

}  // namespace
}  // namespace sluice::inline SLUICE_ISA::iq1

#endif
