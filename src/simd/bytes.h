#pragma once

// Products of bytes, lists of lanes, and what is the most or the least of some.

#include <cstdint>
#include <cstring>
#include <utility>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::simd {

/// Lane i: sum[i] + the products of its four bytes, those of `bytes` unsigned, the factors signed. Two products
/// are to fit into 16 bits.
SLUICE_INLINE Ints accumulate_byte_products(const Ints& sum, const Ints& bytes,
                                            const Ints& factors) noexcept {
  Ints result;
  for (std::size_t i = 0; i < Ints::kParts; ++i) {
#if defined(__AVX512VNNI__)
    result.part[i] = (Ints::Register)_mm512_dpbusd_epi32(
        (__m512i)sum.part[i], (__m512i)bytes.part[i], (__m512i)factors.part[i]);
#elif defined(__AVX512BW__)
    const __m512i pairs = _mm512_maddubs_epi16((__m512i)bytes.part[i], (__m512i)factors.part[i]);
    result.part[i] = sum.part[i] + (Ints::Register)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#elif defined(__AVX2__)
    const __m256i pairs = _mm256_maddubs_epi16((__m256i)bytes.part[i], (__m256i)factors.part[i]);
    result.part[i] = sum.part[i] + (Ints::Register)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#else
    using Register = Shorts::Register;
    const Register a = (Register)bytes.part[i];
    const Register b = (Register)factors.part[i];
    result.part[i] = Machine::accumulate_products(sum.part[i], a & 255, b << 8 >> 8);
    result.part[i] = Machine::accumulate_products(
        result.part[i], Machine::template shift_right_unsigned<8>(a), b >> 8);
#endif
  }
  return result;
}

/// Lane l: l.
SLUICE_INLINE Ints lane_numbers() noexcept {
  static constexpr std::int32_t kNumbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return Ints::load(kNumbers);
}

/// Which bits a byte has, the least first: how lanes for which a mask holds are moved together.
struct BitsOfBytes {
  std::uint8_t of[256][8];
  constexpr BitsOfBytes() noexcept : of() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      unsigned count = 0;
      for (std::uint8_t bit = 0; bit < 8; ++bit) {
        if ((byte >> bit & 1) != 0) of[byte][count++] = bit;
      }
    }
  }
};
inline constexpr BitsOfBytes kBitsOfBytes;

/// Writes the lanes, numbers below 2^16, for which a mask holds, up to 15 others behind them, and
/// returns where these are. Whether a lane is taken cannot be foretold, so there is no branch.
SLUICE_INLINE std::uint16_t* append_where(const FloatMask& mask, const Ints& numbers,
                                          std::uint16_t* to) noexcept {
  const unsigned bits = Machine::to_bits(mask.part);
#if defined(__AVX512F__)
#if defined(__AVX512VBMI2__)
  const __m256i taken = _mm256_maskz_compress_epi16(
      static_cast<__mmask16>(bits), _mm512_cvtepi32_epi16((__m512i)numbers.part[0]));
#else
  const __m256i taken = _mm512_cvtepi32_epi16(
      _mm512_maskz_compress_epi32(static_cast<__mmask16>(bits), (__m512i)numbers.part[0]));
#endif
  std::memcpy(to, &taken, sizeof taken);
  return to + __builtin_popcount(bits);
#elif defined(__AVX2__)
  const __m256i packed = _mm256_permute4x64_epi64(
      _mm256_packus_epi32((__m256i)numbers.part[0], (__m256i)numbers.part[1]), 0xd8);
  const __m128i halves[2] = {_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1)};
  for (int i = 0; i < 2; ++i) {
    const unsigned byte = bits >> 8 * i & 255;
    // Lane n is bytes 2n and 2n + 1.
    const auto* const numbers_of = reinterpret_cast<const __m128i*>(kBitsOfBytes.of[byte]);
    const __m128i lanes = _mm_cvtepu8_epi16(_mm_loadl_epi64(numbers_of));
    const __m128i bytes =
        _mm_add_epi16(_mm_mullo_epi16(lanes, _mm_set1_epi16(0x0202)), _mm_set1_epi16(0x0100));
    const __m128i taken = _mm_shuffle_epi8(halves[i], bytes);
    std::memcpy(to, &taken, sizeof taken);
    to += __builtin_popcount(byte);
  }
  return to;
#else
  std::int32_t at[16];
  numbers.store(at);
  for (unsigned l = 0; l < 16; ++l) {
    *to = static_cast<std::uint16_t>(at[l]);
    to += bits >> l & 1;
  }
  return to;
#endif
}

/// The same of first + l for each lane l.
SLUICE_INLINE std::uint16_t* append_numbers(const FloatMask& mask, unsigned first,
                                            std::uint16_t* to) noexcept {
#if defined(__AVX512VBMI2__)
  const unsigned bits = Machine::to_bits(mask.part);
  const __m256i lanes = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m256i taken = _mm256_maskz_compress_epi16(
      static_cast<__mmask16>(bits),
      _mm256_add_epi16(lanes, _mm256_set1_epi16(static_cast<short>(first))));
  std::memcpy(to, &taken, sizeof taken);
  return to + __builtin_popcount(bits);
#elif defined(__AVX512F__)
  return append_where(mask, lane_numbers() + Ints(static_cast<std::int32_t>(first)), to);
#else
  const unsigned bits = Machine::to_bits(mask.part);
  for (unsigned half = 0; half < 16; half += 8) {
    const unsigned byte = bits >> half & 255;
    for (unsigned i = 0; i < 8; ++i) {
      to[i] = static_cast<std::uint16_t>(first + half + kBitsOfBytes.of[byte][i]);
    }
    to += __builtin_popcount(byte);
  }
  return to;
#endif
}

/// Lanes l and l ^ kDistance change places.
template <std::size_t kDistance>
SLUICE_INLINE Floats swap_at(const Floats& a) noexcept {
  constexpr std::size_t kLanes = Part<float>::kLanes;
  Floats result;
  for (std::size_t i = 0; i < Floats::kParts; ++i) {
    if constexpr (kDistance < kLanes) {
      result.part[i] = [&]<std::size_t... l>(std::index_sequence<l...>) noexcept {
        return __builtin_shufflevector(a.part[i], a.part[i], (l ^ kDistance)...);
      }
      (std::make_index_sequence<kLanes>());
    } else {
      result.part[i] = a.part[i ^ (kDistance / kLanes)];
    }
  }
  return result;
}

/// The largest of the lanes that have the same remainder by 4, for each remainder.
SLUICE_INLINE void most_of_fours(const Ints& lanes, std::int32_t (&most)[4]) noexcept {
#if defined(__AVX2__)
#if defined(__AVX512F__)
  const auto whole = (__m512i)lanes.part[0];
  const __m256i eight =
      _mm256_max_epi32(_mm512_castsi512_si256(whole), _mm512_extracti64x4_epi64(whole, 1));
#else
  const __m256i eight = _mm256_max_epi32((__m256i)lanes.part[0], (__m256i)lanes.part[1]);
#endif
  const __m128i four =
      _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  std::memcpy(most, &four, sizeof four);
#else
  std::int32_t at[16];
  lanes.store(at);
  for (std::size_t i = 0; i < 4; ++i) {
    most[i] = at[i];
    for (std::size_t l = i + 4; l < 16; l += 4) most[i] = most[i] < at[l] ? at[l] : most[i];
  }
#endif
}

/// The largest lane.
SLUICE_INLINE std::int32_t most_of(const Ints& lanes) noexcept {
  std::int32_t most[4];
  most_of_fours(lanes, most);
  const std::int32_t low = most[0] < most[1] ? most[1] : most[0];
  const std::int32_t high = most[2] < most[3] ? most[3] : most[2];
  return low < high ? high : low;
}

/// The largest lane.
SLUICE_INLINE std::int16_t most_of(const Shorts& lanes) noexcept {
#if defined(__AVX2__)
#if defined(__AVX512F__)
  const auto whole = (__m512i)lanes.part[0];
  const __m256i sixteen =
      _mm256_max_epi16(_mm512_castsi512_si256(whole), _mm512_extracti64x4_epi64(whole, 1));
#else
  const __m256i sixteen = _mm256_max_epi16((__m256i)lanes.part[0], (__m256i)lanes.part[1]);
#endif
  const __m128i eight =
      _mm_max_epi16(_mm256_castsi256_si128(sixteen), _mm256_extracti128_si256(sixteen, 1));
  // What there is an instruction for is the least of unsigned ones.
  constexpr int kFlip = 0x7fff;
  const __m128i least = _mm_minpos_epu16(_mm_xor_si128(eight, _mm_set1_epi16(kFlip)));
  return static_cast<std::int16_t>(_mm_cvtsi128_si32(least) ^ kFlip);
#else
  std::int16_t at[32];
  lanes.store(at);
  std::int16_t most = at[0];
  for (const std::int16_t lane : at) most = most < lane ? lane : most;
  return most;
#endif
}

/// The largest lanes of four numbers of each of 16 groups.
class MostOfFour {
 public:
  void set(std::size_t group, const Shorts (&number)[4]) noexcept {
#if defined(__AVX512BW__)
    const __m512i low = halves((__m512i)number[0].part[0], (__m512i)number[1].part[0]);
    const __m512i high = halves((__m512i)number[2].part[0], (__m512i)number[3].part[0]);
    eight_[group] = _mm512_max_epi16(_mm512_shuffle_i32x4(low, high, 0x88),
                                     _mm512_shuffle_i32x4(low, high, 0xdd));
#else
    for (std::size_t i = 0; i < 4; ++i) most_[i][group] = most_of(number[i]);
#endif
  }
  /// After all have been set. Number i's, a lane a group.
  void get(Floats (&most)[4]) const noexcept {
#if defined(__AVX512BW__)
    // Of each number, eight lanes, four, two and one; each step takes two registers to one.
    const auto four = [&](int g) noexcept {
      const __m512i a = eight_[g];
      const __m512i b = eight_[g + 1];
      return _mm512_max_epi16(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    };
    const auto two = [&](int g) noexcept {
      const auto a = _mm512_castsi512_ps(four(g));
      const auto b = _mm512_castsi512_ps(four(g + 2));
      return _mm512_max_epi16(_mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x88)),
                              _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0xdd)));
    };
    // Four groups in low halves, the next four in high ones.
    const auto one = [&](int g) noexcept {
      constexpr __mmask32 kHigh = 0xaaaaaaaa;
      const __m512i a = two(g);
      const __m512i b = two(g + 4);
      return _mm512_max_epi16(_mm512_mask_blend_epi16(kHigh, a, _mm512_slli_epi32(b, 16)),
                              _mm512_mask_blend_epi16(kHigh, _mm512_srli_epi32(a, 16), b));
    };
    __m512i four_groups[4];
    for (int i = 0; i < 2; ++i) {
      const __m512i both = one(8 * i);
      four_groups[2 * i] = _mm512_srai_epi32(_mm512_slli_epi32(both, 16), 16);
      four_groups[2 * i + 1] = _mm512_srai_epi32(both, 16);
    }
    for (int i = 0; i < 2; ++i) {
      const auto quarters = [&](int g) noexcept {
        return i == 0 ? _mm512_shuffle_i32x4(four_groups[g], four_groups[g + 1], 0x44)
                      : _mm512_shuffle_i32x4(four_groups[g], four_groups[g + 1], 0xee);
      };
      const __m512i a = quarters(0);
      const __m512i b = quarters(2);
      most[2 * i] = Floats(_mm512_cvtepi32_ps(_mm512_shuffle_i32x4(a, b, 0x88)));
      most[2 * i + 1] = Floats(_mm512_cvtepi32_ps(_mm512_shuffle_i32x4(a, b, 0xdd)));
    }
#else
    for (std::size_t i = 0; i < 4; ++i) most[i] = Floats::load(most_[i]);
#endif
  }

 private:
#if defined(__AVX512BW__)
  /// What two come to, 16 lanes each.
  static __m512i halves(__m512i a, __m512i b) noexcept {
    return _mm512_max_epi16(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee));
  }

  __m512i eight_[16];  ///< of a group: eight lanes of each number, one after the other
#else
  float most_[4][16];
#endif
};

#if defined(__AVX512VBMI__)
/// Each byte, below 64, becomes that number of a table.
SLUICE_INLINE Ints look_up_bytes(const std::uint8_t (&table)[64], const Ints& bytes) noexcept {
  Ints result;
  result.part[0] =
      (Ints::Register)_mm512_permutexvar_epi8((__m512i)bytes.part[0], _mm512_loadu_si512(table));
  return result;
}
#endif

/// The four lanes from `first` on, four times each.
SLUICE_INLINE Floats four_times(const Floats& lanes, std::size_t first) noexcept {
  float at[16];
  lanes.store(at);
  return look_up(at, shift_right<2>(lane_numbers()) + Ints(static_cast<std::int32_t>(first)));
}

/// The least lane.
SLUICE_INLINE std::int32_t least_of(const Ints& lanes) noexcept {
  return ~most_of(lanes ^ Ints(-1));
}

/// Lane i: the least lane of i.
SLUICE_INLINE Ints least_of_each(const Ints (&lanes)[16]) noexcept {
#if defined(__AVX512F__)
  using R = __m512i;
  // Each step leaves half of the registers, which hold the least of pairs, of fours and so on.
  const auto pairs = [&](int i) noexcept {
    const auto a = (R)lanes[2 * i].part[0];
    const auto b = (R)lanes[2 * i + 1].part[0];
    return _mm512_min_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  };
  const auto fours = [&](int i) noexcept {
    const R a = pairs(2 * i);
    const R b = pairs(2 * i + 1);
    return _mm512_min_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
  };
  const auto across = [](R a, R b) noexcept {
    return _mm512_min_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
  };
  Ints result;
  result.part[0] = (Ints::Register)across(across(fours(0), fours(1)), across(fours(2), fours(3)));
  return result;
#elif defined(__AVX2__)
  using R = __m256i;
  const auto own = [&](int i) noexcept {
    return _mm256_min_epi32((R)lanes[i].part[0], (R)lanes[i].part[1]);
  };
  const auto pairs = [&](int i) noexcept {
    const R a = own(2 * i);
    const R b = own(2 * i + 1);
    return _mm256_min_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
  };
  const auto fours = [&](int i) noexcept {
    const R a = pairs(2 * i);
    const R b = pairs(2 * i + 1);
    return _mm256_min_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
  };
  Ints result;
  for (int i = 0; i < 2; ++i) {
    const R a = fours(2 * i);
    const R b = fours(2 * i + 1);
    result.part[i] = (Ints::Register)_mm256_min_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                                      _mm256_permute2x128_si256(a, b, 0x31));
  }
  return result;
#else
  std::int32_t least[16];
  for (std::size_t i = 0; i < 16; ++i) least[i] = least_of(lanes[i]);
  return Ints::load(least);
#endif
}

/// The first lane that has the least number, which is not the largest that there is.
SLUICE_INLINE std::size_t place_of_least(const Ints& lanes) noexcept {
  const FloatMask least = Ints(least_of(lanes) + 1) > lanes;
  return static_cast<std::size_t>(__builtin_ctz(Machine::to_bits(least.part)));
}

}  // namespace sluice::inline SLUICE_ISA::simd
