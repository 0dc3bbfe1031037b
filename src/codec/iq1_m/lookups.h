#pragma once

// Tables looked up by every lane at once: in registers where a permutation of bytes over two of
// them is one instruction (AVX-512 VBMI), lane by lane from memory elsewhere.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/iq1_m/codes.h"
#include "codec/iq1_m/lanes.h"

namespace sluice::inline SLUICE_ISA::iq1_m {

struct alignas(64) MoveSteps {
  std::array<std::uint16_t, kLanes> step{};
};
/// What a move adds to the vector's number, by the low bits of its key (all five that a permutation
/// of 32 lanes looks at).
inline constexpr MoveSteps kMoveSteps = [] {
  MoveSteps steps;
  for (std::size_t i = 0; i < kLanes; ++i) {
    const int power = kPowersOf3[i / 2 % kPowersOf3.size()];
    steps.step[i] = static_cast<std::uint16_t>(i % 2 != 0 ? power : -power);
  }
  return steps;
}();

#if defined(__AVX512VBMI__)

/// The codebook's bitmap in registers: 14 of them, and both shifts' 64 vectors looked up at once.
class Membership {
 public:
  Membership() noexcept {
    for (std::size_t t = 0; t < 2 * kMemberTables; ++t) {
      table_[t] = _mm512_load_si512(kMembers.bits[t / 2].data() + t % 2 * 64);
    }
    for (int i = 0; i < 64; ++i) bit_[i] = static_cast<char>(1u << (i % 8));
  }

  /// Which of the vectors are in the codebook.
  SLUICE_INLINE void test(Shorts a, Shorts b, LaneMask& in_a, LaneMask& in_b) const noexcept {
    // Bytes of a and b by turns: the low 7 bits of the numbers (and one that does not count), and
    // the high 6.
    const __m512i low_byte = _mm512_set1_epi16(0xff);
    const __m512i low = pick(low_byte, a.v, _mm512_slli_epi16(b.v, 8));
    const __m512i high = pick(low_byte, _mm512_srli_epi16(a.v, 7), _mm512_slli_epi16(b.v, 1));
    const __mmask64 m0 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(8));
    const __mmask64 m1 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(16));
    const __mmask64 m2 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(32));
    const auto look_up = [&](std::size_t t) noexcept {
      return _mm512_permutex2var_epi8(table_[2 * t], low, table_[2 * t + 1]);
    };
    static_assert(kMemberTables == 7);
    const __m512i t01 = _mm512_mask_mov_epi8(look_up(0), m0, look_up(1));
    const __m512i t23 = _mm512_mask_mov_epi8(look_up(2), m0, look_up(3));
    const __m512i t45 = _mm512_mask_mov_epi8(look_up(4), m0, look_up(5));
    const __m512i t0123 = _mm512_mask_mov_epi8(t01, m1, t23);
    const __m512i t456 = _mm512_mask_mov_epi8(t45, m1, look_up(6));
    const __m512i bits = _mm512_mask_mov_epi8(t0123, m2, t456);
    const __m512i hit =
        _mm512_and_si512(bits, _mm512_permutexvar_epi8(high, _mm512_load_si512(bit_)));
    in_a.m = _mm512_test_epi16_mask(hit, low_byte);
    in_b.m = _mm512_test_epi16_mask(hit, _mm512_set1_epi16(static_cast<short>(0xff00)));
  }

 private:
  static SLUICE_INLINE __m512i pick(__m512i mask, __m512i a, __m512i b) noexcept {
    return _mm512_ternarylogic_epi32(mask, a, b, 0xca);
  }

  __m512i table_[2 * kMemberTables];
  alignas(64) char bit_[64];
};

SLUICE_INLINE Shorts step_of_move(Shorts keys) noexcept {
  return {_mm512_permutexvar_epi16(keys.v, _mm512_load_si512(kMoveSteps.step.data()))};
}

/// The flags of the coordinates of each vector.
SLUICE_INLINE Shorts flags_of(Shorts number) noexcept {
  // number / 81, exact for all numbers: 6473 / 2^19 is 1 / 81 and 6e-7 more.
  const __m512i high = _mm512_srli_epi16(_mm512_mulhi_epu16(number.v, _mm512_set1_epi16(6473)), 3);
  // number % 81 + 256 * (number / 81)
  const __m512i fours =
      _mm512_add_epi16(number.v, _mm512_mullo_epi16(high, _mm512_set1_epi16(256 - 81)));
  return {_mm512_permutex2var_epi8(_mm512_load_si512(kFlagsOfFour.flags.data()), fours,
                                   _mm512_load_si512(kFlagsOfFour.flags.data() + 64))};
}

#else

/// All bits for the vectors that are in the codebook.
inline constexpr auto kIsMember = [] {
  std::array<std::int16_t, kVectors> members{};
  for (std::size_t n = 0; n < kVectors; ++n) members[n] = kEntryOfVector[n] == kNoEntry ? 0 : -1;
  return members;
}();

template <typename Table>
SLUICE_INLINE Shorts look_up(const Table& table, const Shorts& index) noexcept {
  const ShortLanes from = recast<ShortLanes>(index);
  ShortLanes to;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    to.lane[lane] = static_cast<std::int16_t>(table[static_cast<std::uint16_t>(from.lane[lane])]);
  }
  return recast<Shorts>(to);
}

class Membership {
 public:
  SLUICE_INLINE void test(const Shorts& a, const Shorts& b, LaneMask& in_a,
                          LaneMask& in_b) const noexcept {
    in_a = recast<LaneMask>(look_up(kIsMember, a));
    in_b = recast<LaneMask>(look_up(kIsMember, b));
  }
};

SLUICE_INLINE Shorts step_of_move(const Shorts& keys) noexcept {
  return look_up(kMoveSteps.step, keys & shorts(kLanes - 1));
}

inline constexpr auto kFlags = [] {
  std::array<std::uint16_t, kVectors> flags{};
  for (std::size_t n = 0; n < kVectors; ++n) {
    flags[n] =
        static_cast<std::uint16_t>(kFlagsOfFour.flags[n % 81] | kFlagsOfFour.flags[n / 81] << 8);
  }
  return flags;
}();

SLUICE_INLINE Shorts flags_of(const Shorts& number) noexcept {
  return look_up(kFlags, number);
}

#endif

}  // namespace sluice::inline SLUICE_ISA::iq1_m
