#pragma once

// The search of iq1_search.cpp for NEON: what it finds is the same, in half the steps and within the
// registers. Codes are made of the upper bytes of two coordinates at once, a multiplication gives just
// those bits of a price that a key has, and the moves at two places are looked up at once. Prices at
// the places ascend, so of the sets that begin alike the first that lands in the codebook is the
// cheapest, and few prices are compared.

#if defined(SLUICE_NEON)

#include "codec/i_quants/iq1_moves.h"
#include "codec/i_quants/iq1_neon_codes.h"
#include "codec/i_quants/iq1_search.h"

namespace sluice::inline SLUICE_ISA::iq1 {
namespace {

/// kWaysIn, looked up by the lower 16 bits of addresses: the upper 48 are the same throughout a table
/// that no multiple of 64 KiB lies in. Of two copies, one after the other, one is such a table.
class WaysIn {
 public:
  WaysIn() noexcept {
    std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(&kCopies[0]);
    if (begin >> 16 != (begin + sizeof kCopies[0] - 1) >> 16) begin += sizeof kCopies[0];
    for (int i = 0; i < 4; ++i) {
      word_[i] = vdupq_n_u16(static_cast<std::uint16_t>(begin >> (16 * i)));
    }
  }

  /// Of vector 0; each further one is two on.
  SLUICE_INLINE Short begin() const noexcept { return Short(word_[0]); }
  SLUICE_INLINE Short number(const Short& lower) const noexcept {
    return Short((uint16x8_t(lower) - word_[0]) >> 1);
  }

  /// The words of the addresses are stored side by side. That takes registers that follow one another,
  /// into which g++ moves all four each time unless they are named.
  SLUICE_INLINE Short look_up(const Short& lower) const noexcept {
    register uint16x8_t word0 __asm__("v28") = uint16x8_t(lower);
    register uint16x8_t word1 __asm__("v29") = word_[1];
    register uint16x8_t word2 __asm__("v30") = word_[2];
    register uint16x8_t word3 __asm__("v31") = word_[3];
    const std::uint16_t* at[8];
    const std::uint16_t* a;
    const std::uint16_t* b;
    const std::uint16_t* c;
    const std::uint16_t* d;
    Short found;
    __asm__(
        "st4 {v28.8h, v29.8h, v30.8h, v31.8h}, %[at]\n\t"
        "ldp %[a], %[b], %[at]\n\t"
        "ldp %[c], %[d], %[at_2]\n\t"
        "ld1r {%[found].8h}, [%[a]]\n\t"
        "ld1 {%[found].h}[1], [%[b]]\n\t"
        "ldp %[a], %[b], %[at_4]\n\t"
        "ld1 {%[found].h}[2], [%[c]]\n\t"
        "ld1 {%[found].h}[3], [%[d]]\n\t"
        "ldp %[c], %[d], %[at_6]\n\t"
        "ld1 {%[found].h}[4], [%[a]]\n\t"
        "ld1 {%[found].h}[5], [%[b]]\n\t"
        "ld1 {%[found].h}[6], [%[c]]\n\t"
        "ld1 {%[found].h}[7], [%[d]]"
        : [found] "=&w"(found), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d),
          [at] "=&Q"(at[0]), [at_2] "=&Ump"(at[2]), [at_4] "=&Ump"(at[4]), [at_6] "=&Ump"(at[6])
        : "w"(word0), "w"(word1), "w"(word2), "w"(word3), "m"(kCopies));
    return found;
  }

 private:
  static constexpr std::array<std::array<std::uint16_t, kVectors>, 2> kCopies = {kWaysIn, kWaysIn};
  static_assert(sizeof kCopies <= 0x10000);

  uint16x8_t word_[4];  ///< of the first address, the lowest first
};

/// What the search loads, by one address.
struct Constants {
  /// The low bits of keys for coordinates j and j + 4 whose codes go down, in bytes.
  std::int8_t low_bits[kWidth / 2][16]{};
  /// The bytes of what moves add to the address of a vector's ways, the low ones and the high ones.
  std::uint8_t step_bytes[2][kMoves]{};

  constexpr Constants() noexcept {
    for (std::size_t j = 0; j < kWidth; ++j) {
      for (std::size_t i = 0; i < 8; ++i) {
        low_bits[j % 4][j / 4 * 8 + i] = static_cast<std::int8_t>(2 * j);
      }
    }
    for (std::size_t move = 0; move < kMoves; ++move) {
      const auto step = static_cast<std::uint16_t>(2 * step_of_move(move));
      step_bytes[0][move] = static_cast<std::uint8_t>(step);
      step_bytes[1][move] = static_cast<std::uint8_t>(step >> 8);
    }
  }
};
constexpr Constants kConstants;

/// Sets of moves as their vectors' addresses and prices, lane by lane.
struct MoveChoice {
  Short lower;  ///< see WaysIn
  Short price;  ///< kTooDear if the set does not land in the codebook

  /// \param as_good  what is a price of this kind or one less, if the other wins where they are equal
  SLUICE_INLINE void take_if_cheaper(const MoveChoice& other, const Short& as_good) noexcept {
    lower = vbslq_s16(vcltq_s16(as_good, price), other.lower, lower);
    price = vminq_s16(other.price, price);
  }
  SLUICE_INLINE void take_if_cheaper(const MoveChoice& other) noexcept {
    take_if_cheaper(other, other.price);
  }
};

/// The search for one shift, for as many groups as fill a register.
template <std::size_t kSets>
struct NeonSearch {
  static constexpr std::size_t kUsed = kSets == kAllSets ? kPlaces : kPlaces - 1;

  const WaysIn& ways_in;
  const Constants& constants;
  Short keys[kWidth];  ///< 11 bits of the price, the coordinate, whether its code is raised
  Short lower;         ///< of the vector without moves, see WaysIn
  Short steps[kPlaces + 1];
  Short bits[kPlaces];  ///< moves, as those of kWaysIn

  NeonSearch(const WaysIn& ways, const Constants& loaded) noexcept
      : ways_in(ways), constants(loaded) {}

  SLUICE_INLINE void make_keys(const Short* place, int shift, const Shorts* share,
                               std::size_t part) noexcept {
    // Borders between codes are seen in the upper bytes, those of coordinates j and j + 4 side by side.
    static_assert(kStep / 2 % 256 == 0 && kShift % 256 == 0 && kPowersOf3[4] == 81);
    const Short shifts = splat(shift);
    const Short half = splat(kStep / 2);
    const Bytes shift_bytes = vdupq_n_s8(static_cast<std::int8_t>(shift / 256));
    const Bytes half_bytes = vdupq_n_s8(kStep / 2 / 256);
    Bytes codes{};  // what they are below 1, as numbers to the base of 3
#pragma GCC unroll 4
    for (std::size_t pair = 0; pair < kWidth / 2; ++pair) {
      const std::size_t j = kWidth / 2 - 1 - pair;
      const Short magnitude[2] = {vabdq_s16(place[j], shifts), vabdq_s16(place[j + 4], shifts)};
      const Bytes negative = vuzp2q_s8(Bytes(place[j]), Bytes(place[j + 4])) < shift_bytes;
      const Bytes raises =
          (vuzp2q_s8(Bytes(magnitude[0]), Bytes(magnitude[1])) < half_bytes) ^ negative;
      // Masks are -1: from +1 a code goes down by one for each.
      codes = vmlaq_s8(negative + raises, codes, vdupq_n_s8(3));
      const Bytes low = vld1q_s8(constants.low_bits[j]) - raises;
      const Short lows[2] = {Short(vzip1q_s8(low, low)), Short(vzip2q_s8(low, low))};
#pragma GCC unroll 2
      for (std::size_t i = 0; i < 2; ++i) {
        // Twice the product, of which the lower 16 bits are dropped: share * distance / 2^15.
        const Short price =
            vqdmulhq_s16(share[j + 4 * i].part[part], vabdq_s16(magnitude[i], half));
        keys[j + 4 * i] = vsliq_n_s16(lows[i], price, kCoordinateBits + 1);
      }
    }
    const Bytes power = vdupq_n_s8(81);
    lower = ways_in.begin() + splat(2 * (kVectors - 1));
    lower = vmlal_s8(lower, vget_low_s8(codes), vdup_n_s8(2));
    lower = vmlal_high_s8(vmlal_high_s8(lower, codes, power), codes, power);
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
      const uint8x16_t low = vqtbl1q_u8(vld1q_u8(constants.step_bytes[0]), moves);
      const uint8x16_t high = vqtbl1q_u8(vld1q_u8(constants.step_bytes[1]), moves);
      steps[at] = (Short)vzip1q_u8(low, high);
      steps[at + 1] = (Short)vzip2q_u8(low, high);
    }
  }

  /// The cheapest set that begins with a vector's: of those with one more move, at places `first` to
  /// `last`, the first that lands in the codebook.
  /// \param price  of what it begins with
  template <std::size_t kFirst, std::size_t kLast>
  SLUICE_INLINE MoveChoice first_of(const Short& begin, const Short& price,
                                    const Short& ways) const noexcept {
    const MoveChoice first = first_move<kFirst, kLast>(ways);
    return {begin + first.lower, vqaddq_s16(price, first.price)};
  }
  /// The same, of the last move alone.
  template <std::size_t kFirst, std::size_t kLast>
  SLUICE_INLINE MoveChoice first_move(const Short& ways) const noexcept {
    const uint16x8_t lands = vtstq_s16(ways, bits[kFirst]);
    MoveChoice move = {steps[kFirst], splat(kTooDear)};
    if constexpr (kFirst != kLast) {
      move = first_move<kFirst + 1, kLast>(ways);
      move.lower = vbslq_s16(lands, steps[kFirst], move.lower);
    }
    move.price = vbslq_s16(lands, keys[kFirst], move.price);
    return move;
  }

  /// The cheapest set of moves that lands in the codebook; should there be none, zeros.
  SLUICE_INLINE Short cheapest() const noexcept {
    // By what they begin with, sets are 0, 1, 2, 4, 6 and 11; 3, 5 and 7; 8 and 10; 9. Of equal prices
    // the lower number is taken. As no two places have the same one, prices are only equal where that
    // is the set {0, i} and not {i} or one of more moves, but for a first price of 0: then it is {i},
    // or {1, 2} and not {0, 1, 2}, which else goes before {1, 3}. Set 11 comes after all.
    static_assert(kMoveSets.size() == 11 && kAllSets == 12 && kFewSets == 8);
    const Short one = lower + steps[0];
    const Short ways = ways_in.look_up(lower);
    const Short ways_of_one = ways_in.look_up(one);
    MoveChoice best = first_move<0, 3>(ways);
    // The empty set lands where the first move back from the set of the first move does.
    const uint16x8_t none = vtstq_s16(ways_of_one, vshlq_s16(splat(1), (keys[0] & 15) ^ 1));
    best = {lower + vbicq_s16(best.lower, Short(none)), vbicq_s16(best.price, Short(none))};
    const Short not_free = keys[0] > 0;
    const MoveChoice with_one = first_of<1, 3>(one, keys[0], ways_of_one);
    best.take_if_cheaper(with_one, with_one.price + not_free);
    if constexpr (kSets == kAllSets) {
      const Short two = lower + steps[1];
      const Short both = one + steps[1];
      MoveChoice others = first_of<2, 3>(two, keys[1], ways_in.look_up(two));
      const MoveChoice with_both =
          first_of<2, 2>(both, vqaddq_s16(keys[0], keys[1]), ways_in.look_up(both));
      others.take_if_cheaper(with_both, with_both.price + not_free);
      best.take_if_cheaper(others);
      const MoveChoice fifth = first_move<4, 4>(ways);
      best.take_if_cheaper({lower + fifth.lower, fifth.price});
    }
    return vbslq_s16(vcltq_s16(best.price, splat(kTooDear)), ways_in.number(best.lower),
                     splat(kZeroVector));
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
  const WaysIn ways_in;
  const Constants* constants = &kConstants;
  __asm__("" : "+r"(constants));  // or g++ makes each one's address anew
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    found.of_part[part][0] =
        NeonSearch<kSets>(ways_in, *constants).find(place[part], kShift, share, part);
    __asm__("" : : : "memory");  // one after the other
    found.of_part[part][1] =
        NeonSearch<kSets>(ways_in, *constants).find(place[part], -kShift, share, part);
  }
}

}  // namespace
}  // namespace sluice::inline SLUICE_ISA::iq1

#endif
