#pragma once

// Tables that no register holds, looked up by 32 numbers at once.

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::simd {

/// table[index], lane by lane from memory.
template <typename Entry, std::size_t kEntries>
SLUICE_INLINE Shorts gather(const std::array<Entry, kEntries>& table,
                            const Shorts& index) noexcept {
  std::uint16_t lanes[Shorts::kLanes];
  std::memcpy(lanes, &index.part, sizeof lanes);
  for (std::uint16_t& lane : lanes) lane = static_cast<std::uint16_t>(table[lane]);
  Shorts result;
  std::memcpy(&result.part, lanes, sizeof lanes);
  return result;
}

/// 128 bytes, which one instruction may look up.
struct alignas(64) ByteTable {
  std::array<std::uint8_t, 128> byte{};
};

#if defined(__AVX512VBMI__)

/// Whether a look-up of bytes is an instruction.
inline constexpr bool kLooksUpBytes = true;

/// Every byte of the lanes looked up by its low 7 bits.
SLUICE_INLINE Shorts look_up_bytes(const ByteTable& table, const Shorts& index) noexcept {
  return Shorts((Shorts::Register)_mm512_permutex2var_epi8(_mm512_load_si512(&table.byte[0]),
                                                           (__m512i)index.part[0],
                                                           _mm512_load_si512(&table.byte[64])));
}

/// A set of numbers below kSize, in registers: 1024 of them to a pair, and number n is bit
/// n >> 7 & 7 of byte n & 127 of the pair.
template <std::size_t kSize>
class NumberSet {
 public:
  static_assert(kSize > 6 * 1024 && kSize <= 7 * 1024);

  template <typename IsMember>
  explicit constexpr NumberSet(const IsMember& is_member) noexcept {
    for (std::size_t n = 0; n < kSize; ++n) {
      if (is_member(n)) {
        std::uint8_t& byte = table_[n >> 10].byte[n & 127];
        byte = static_cast<std::uint8_t>(byte | 1u << (n >> 7 & 7));
      }
    }
    for (std::size_t i = 0; i < 64; ++i) bit_.byte[i] = static_cast<std::uint8_t>(1u << (i % 8));
  }

  /// Which numbers of a and of b are members.
  SLUICE_INLINE void test(const Shorts& a, const Shorts& b, ShortMask& in_a,
                          ShortMask& in_b) const noexcept {
    // Bytes of a and b by turns: the low 7 bits of the numbers (and one that does not count), and
    // the high 6.
    const __m512i low_byte = _mm512_set1_epi16(0xff);
    const __m512i from_a = (__m512i)a.part[0];
    const __m512i from_b = (__m512i)b.part[0];
    const __m512i low = pick(low_byte, from_a, _mm512_slli_epi16(from_b, 8));
    const __m512i high = pick(low_byte, _mm512_srli_epi16(from_a, 7), _mm512_slli_epi16(from_b, 1));
    const __mmask64 m0 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(8));
    const __mmask64 m1 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(16));
    const __mmask64 m2 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(32));
    const auto in_pair = [&](std::size_t t) noexcept {
      return _mm512_permutex2var_epi8(_mm512_load_si512(&table_[t].byte[0]), low,
                                      _mm512_load_si512(&table_[t].byte[64]));
    };
    const __m512i t01 = _mm512_mask_mov_epi8(in_pair(0), m0, in_pair(1));
    const __m512i t23 = _mm512_mask_mov_epi8(in_pair(2), m0, in_pair(3));
    const __m512i t45 = _mm512_mask_mov_epi8(in_pair(4), m0, in_pair(5));
    const __m512i t0123 = _mm512_mask_mov_epi8(t01, m1, t23);
    const __m512i t456 = _mm512_mask_mov_epi8(t45, m1, in_pair(6));
    const __m512i bits = _mm512_mask_mov_epi8(t0123, m2, t456);
    const __m512i hit =
        _mm512_and_si512(bits, _mm512_permutexvar_epi8(high, _mm512_load_si512(&bit_.byte[0])));
    in_a.part[0] = _mm512_test_epi16_mask(hit, low_byte);
    in_b.part[0] = _mm512_test_epi16_mask(hit, _mm512_set1_epi16(static_cast<short>(0xff00)));
  }

 private:
  static SLUICE_INLINE __m512i pick(__m512i mask, __m512i a, __m512i b) noexcept {
    return _mm512_ternarylogic_epi32(mask, a, b, 0xca);
  }

  std::array<ByteTable, 7> table_{};
  ByteTable bit_{};
};

#else

inline constexpr bool kLooksUpBytes = false;

SLUICE_INLINE Shorts look_up_bytes(const ByteTable& table, const Shorts& index) noexcept {
  std::uint8_t bytes[2 * Shorts::kLanes];
  std::memcpy(bytes, &index.part, sizeof bytes);
  for (std::uint8_t& byte : bytes) byte = table.byte[byte & 127u];
  Shorts result;
  std::memcpy(&result.part, bytes, sizeof bytes);
  return result;
}

template <std::size_t kSize>
class NumberSet {
 public:
  template <typename IsMember>
  explicit constexpr NumberSet(const IsMember& is_member) noexcept {
    for (std::size_t n = 0; n < kSize; ++n) all_bits_[n] = is_member(n) ? -1 : 0;
  }

  SLUICE_INLINE void test(const Shorts& a, const Shorts& b, ShortMask& in_a,
                          ShortMask& in_b) const noexcept {
    in_a = negative(gather(all_bits_, a));
    in_b = negative(gather(all_bits_, b));
  }

 private:
  std::array<std::int16_t, kSize> all_bits_{};
};

#endif

}  // namespace sluice::inline SLUICE_ISA::simd
