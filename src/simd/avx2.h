#pragma once

// The backend of AVX2: registers of 256 bits.

#include "simd/vector.h"

namespace sluice::inline SLUICE_ISA::simd {

struct Avx2 : Vectors<32> {
  static constexpr std::size_t kLookUpFloats = 8;
  static constexpr bool kAppliesSigns = true;

  using Vectors<32>::min;
  using Vectors<32>::max;
  /// a < b ? a : b, of which the compiler makes two instructions.
  static SLUICE_INLINE Float min(Float a, Float b) noexcept { return _mm256_min_ps(a, b); }
  static SLUICE_INLINE Float max(Float a, Float b) noexcept { return _mm256_max_ps(a, b); }

  static SLUICE_INLINE Float sqrt(Float a) noexcept { return _mm256_sqrt_ps(a); }
  static SLUICE_INLINE Float round(Float a) noexcept {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static SLUICE_INLINE Float fused_multiply_add(Float a, Float b, Float c) noexcept {
    return _mm256_fmadd_ps(a, b, c);
  }
  static SLUICE_INLINE Short add_saturated(Short a, Short b) noexcept {
    return (Short)_mm256_adds_epi16((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Short multiply_high(Short a, Short b) noexcept {
    return (Short)_mm256_mulhi_epi16((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Short multiply_high_unsigned(Short a, Short b) noexcept {
    return (Short)_mm256_mulhi_epu16((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Short pack_saturated(Int a, Int b) noexcept {
    return (Short)_mm256_packs_epi32((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Short multiply_fractions(Short a, Short b) noexcept {
    return (Short)_mm256_mulhrs_epi16((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Short apply_sign(Short a, Short b) noexcept {
    return (Short)_mm256_sign_epi16((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Int accumulate_products(Int sum, Short a, Short b) noexcept {
    return sum + (Int)_mm256_madd_epi16((__m256i)a, (__m256i)b);
  }

  /// The low 4 bits of each byte looked up in 16 bytes; zeros for bytes of 128 and more.
  static SLUICE_INLINE Register<std::uint8_t> shuffle_bytes(const std::uint8_t* table,
                                                            Register<std::uint8_t> index) noexcept {
    const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(table));
    return (Register<std::uint8_t>)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes),
                                                       (__m256i)index);
  }

  using Vectors<32>::look_up;
  /// Eight entries are one permutation; of more, bits 3 and up of the index choose.
  template <std::size_t kEntries>
  static SLUICE_INLINE Float look_up(const float (&table)[kEntries], Int index) noexcept {
    static_assert(kEntries % 8 == 0 && (kEntries & (kEntries - 1)) == 0);
    return choose<kEntries>(table, (__m256i)index);
  }

  static SLUICE_INLINE void load_bytes(const std::uint8_t* from, Int* to) noexcept {
    for (std::size_t i = 0; i < 2; ++i) {
      to[i] = (Int)_mm256_cvtepu8_epi32(
          _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 8 * i)));
    }
  }
  static SLUICE_INLINE unsigned to_bits(const Int* mask) noexcept {
    return static_cast<unsigned>(_mm256_movemask_ps((Float)mask[0]) |
                                 _mm256_movemask_ps((Float)mask[1]) << 8);
  }

  static SLUICE_INLINE void store_bytes(std::uint8_t* to, Int integers) noexcept {
    const __m256i ints = (__m256i)integers;
    const __m128i shorts =
        _mm_packs_epi32(_mm256_castsi256_si128(ints), _mm256_extracti128_si256(ints, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(shorts, shorts));
  }

  static SLUICE_INLINE void store_bytes(std::uint8_t* to, const Int (&integers)[4]) noexcept {
    const __m256i low = _mm256_packs_epi32((__m256i)integers[0], (__m256i)integers[1]);
    const __m256i high = _mm256_packs_epi32((__m256i)integers[2], (__m256i)integers[3]);
    // Four bytes of each by turns, the first halves of all before the second ones.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
  }

 private:
  template <std::size_t kEntries>
  static SLUICE_INLINE Float choose(const float* table, __m256i index) noexcept {
    if constexpr (kEntries == 8) {
      return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index);
    } else {
      constexpr int kTopBit = __builtin_ctzll(kEntries) - 1;
      return _mm256_blendv_ps(choose<kEntries / 2>(table, index),
                              choose<kEntries / 2>(table + kEntries / 2, index),
                              _mm256_castsi256_ps(_mm256_slli_epi32(index, 31 - kTopBit)));
    }
  }
};

}  // namespace sluice::inline SLUICE_ISA::simd
