#pragma once

// The backend of AVX-512 (F, BW, DQ, VL: Skylake-X; with VBMI, VBMI2 and VNNI Ice Lake, Zen 4 and
// later): registers of 512 bits, masks in registers of their own.

#include "simd/vector.h"

namespace sluice::inline SLUICE_ISA::simd {

struct Avx512 : Vectors<64> {
  static constexpr std::size_t kLookUpFloats = 32;

  template <typename T>
  using Mask = std::conditional_t<sizeof(T) == 2, __mmask32,
                                  std::conditional_t<sizeof(T) == 4, __mmask16, __mmask8>>;

  static SLUICE_INLINE __mmask16 less(Float a, Float b) noexcept {
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
  }
  static SLUICE_INLINE __mmask16 less(Int a, Int b) noexcept {
    return _mm512_cmplt_epi32_mask((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE __mmask32 less(Short a, Short b) noexcept {
    return _mm512_cmplt_epi16_mask((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE __mmask16 less_where(__mmask16 m, Float a, Float b) noexcept {
    return _mm512_mask_cmp_ps_mask(m, a, b, _CMP_LT_OQ);
  }
  static SLUICE_INLINE __mmask32 less_where(__mmask32 m, Short a, Short b) noexcept {
    return _mm512_mask_cmplt_epi16_mask(m, (__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE __mmask16 greater_equal(Float a, Float b) noexcept {
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
  }
  static SLUICE_INLINE __mmask16 not_equal(Float a, Float b) noexcept {
    return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ);
  }
  static SLUICE_INLINE Float select(__mmask16 m, Float a, Float b) noexcept {
    return _mm512_mask_mov_ps(b, m, a);
  }
  static SLUICE_INLINE Int select(__mmask16 m, Int a, Int b) noexcept {
    return (Int)_mm512_mask_mov_epi32((__m512i)b, m, (__m512i)a);
  }
  static SLUICE_INLINE Short select(__mmask32 m, Short a, Short b) noexcept {
    return (Short)_mm512_mask_mov_epi16((__m512i)b, m, (__m512i)a);
  }
  static SLUICE_INLINE Float min(Float a, Float b) noexcept { return _mm512_min_ps(a, b); }
  static SLUICE_INLINE Float max(Float a, Float b) noexcept { return _mm512_max_ps(a, b); }
  static SLUICE_INLINE Int min(Int a, Int b) noexcept {
    return (Int)_mm512_min_epi32((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Int max(Int a, Int b) noexcept {
    return (Int)_mm512_max_epi32((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short min(Short a, Short b) noexcept {
    return (Short)_mm512_min_epi16((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short max(Short a, Short b) noexcept {
    return (Short)_mm512_max_epi16((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Float add_where(__mmask16 m, Float a, Float b) noexcept {
    return _mm512_mask_add_ps(a, m, a, b);
  }
  static SLUICE_INLINE Int add_where(__mmask16 m, Int a, Int b) noexcept {
    return (Int)_mm512_mask_add_epi32((__m512i)a, m, (__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Int subtract_where(__mmask16 m, Int a, Int b) noexcept {
    return (Int)_mm512_mask_sub_epi32((__m512i)a, m, (__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short add_where(__mmask32 m, Short a, Short b) noexcept {
    return (Short)_mm512_mask_add_epi16((__m512i)a, m, (__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short subtract_where(__mmask32 m, Short a, Short b) noexcept {
    return (Short)_mm512_mask_sub_epi16((__m512i)a, m, (__m512i)a, (__m512i)b);
  }

  static SLUICE_INLINE Float abs(Float a) noexcept { return _mm512_abs_ps(a); }
  static SLUICE_INLINE Short abs(Short a) noexcept { return (Short)_mm512_abs_epi16((__m512i)a); }
  static SLUICE_INLINE Float sqrt(Float a) noexcept { return _mm512_sqrt_ps(a); }
  static SLUICE_INLINE Float round(Float a) noexcept {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static SLUICE_INLINE Float truncate(Float a) noexcept {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  }

  static SLUICE_INLINE Float fused_multiply_add(Float a, Float b, Float c) noexcept {
    return _mm512_fmadd_ps(a, b, c);
  }

  static SLUICE_INLINE Short add_saturated(Short a, Short b) noexcept {
    return (Short)_mm512_adds_epi16((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short multiply_high(Short a, Short b) noexcept {
    return (Short)_mm512_mulhi_epi16((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short multiply_high_unsigned(Short a, Short b) noexcept {
    return (Short)_mm512_mulhi_epu16((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short pack_saturated(Int a, Int b) noexcept {
    return (Short)_mm512_packs_epi32((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Short multiply_fractions(Short a, Short b) noexcept {
    return (Short)_mm512_mulhrs_epi16((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Int accumulate_products(Int sum, Short a, Short b) noexcept {
#if defined(__AVX512VNNI__)
    return (Int)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#else
    return sum + (Int)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#endif
  }
#if defined(__AVX512VBMI2__)
  static SLUICE_INLINE Short append_sign(Short a, Short b) noexcept {
    return (Short)_mm512_shldi_epi16((__m512i)a, (__m512i)b, 1);
  }
#endif
  static SLUICE_INLINE __mmask32 negative(Short a) noexcept {
    return _mm512_movepi16_mask((__m512i)a);
  }
  static SLUICE_INLINE __mmask32 any_bit(Short a, int bits) noexcept {
    return _mm512_test_epi16_mask((__m512i)a, _mm512_set1_epi16(static_cast<short>(bits)));
  }
  static SLUICE_INLINE __mmask32 all_bits(Short a, Short bits) noexcept {
    return _mm512_cmpeq_epi16_mask((__m512i)(a & bits), (__m512i)bits);
  }

  /// The low 4 bits of each byte looked up in 16 bytes; zeros for bytes of 128 and more.
  static SLUICE_INLINE Register<std::uint8_t> shuffle_bytes(const std::uint8_t* table,
                                                            Register<std::uint8_t> index) noexcept {
    const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(table));
    return (Register<std::uint8_t>)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(bytes),
                                                       (__m512i)index);
  }

  /// Sixteen entries are one permutation, 32 are one of two registers; of 64, bit 5 chooses.
  template <std::size_t kEntries>
  static SLUICE_INLINE Float look_up(const float (&table)[kEntries], Int index) noexcept {
    static_assert(kEntries == 16 || kEntries == 32 || kEntries == 64);
    const __m512i i = (__m512i)index;
    if constexpr (kEntries == 16) {
      return _mm512_permutexvar_ps(i, _mm512_loadu_ps(table));
    } else {
      const __m512 low =
          _mm512_permutex2var_ps(_mm512_loadu_ps(table), i, _mm512_loadu_ps(table + 16));
      if constexpr (kEntries == 32) return low;
      const __m512 high =
          _mm512_permutex2var_ps(_mm512_loadu_ps(table + 32), i, _mm512_loadu_ps(table + 48));
      return _mm512_mask_mov_ps(low, _mm512_test_epi32_mask(i, _mm512_set1_epi32(32)), high);
    }
  }

  template <std::size_t kEntries>
  static SLUICE_INLINE Int look_up(const std::int32_t (&table)[kEntries], Int index) noexcept {
    static_assert(kEntries == 16 || kEntries == 32);
    const __m512i i = (__m512i)index;
    if constexpr (kEntries == 16) {
      return (Int)_mm512_permutexvar_epi32(i, _mm512_loadu_si512(table));
    } else {
      return (Int)_mm512_permutex2var_epi32(_mm512_loadu_si512(table), i,
                                            _mm512_loadu_si512(table + 16));
    }
  }

  static SLUICE_INLINE void load_bytes(const std::uint8_t* from, Int* to) noexcept {
    *to = (Int)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static SLUICE_INLINE void store_bytes(std::uint8_t* to, Int integers) noexcept {
    const __m128i bytes = _mm512_cvtepi32_epi8((__m512i)integers);
    std::memcpy(to, &bytes, sizeof bytes);
  }

  static SLUICE_INLINE void narrow(const Int* low, const Int* high, Short* to) noexcept {
    alignas(64) static constexpr std::uint16_t kLowHalves[32] = {
        0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
        32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62};
    *to = (Short)_mm512_permutex2var_epi16((__m512i)*low, _mm512_load_si512(kLowHalves),
                                           (__m512i)*high);
  }
  static SLUICE_INLINE void narrow(const __mmask16* low, const __mmask16* high,
                                   __mmask32* to) noexcept {
    *to = _mm512_kunpackw(*high, *low);
  }
  static SLUICE_INLINE void widen(const Short* from, std::size_t half, Int* to) noexcept {
    const __m512i v = (__m512i)*from;
    *to = (Int)_mm512_cvtepi16_epi32(half == 0 ? _mm512_castsi512_si256(v)
                                               : _mm512_extracti64x4_epi64(v, 1));
  }
  static SLUICE_INLINE void widen(const __mmask32* from, std::size_t half, __mmask16* to) noexcept {
    *to = static_cast<__mmask16>(half == 0 ? *from : *from >> 16);
  }
  static SLUICE_INLINE unsigned to_bits(const __mmask16* mask) noexcept {
    return *mask;
  }

  template <std::size_t kColumns>
  static SLUICE_INLINE void transpose(const float* rows, Float* columns) noexcept {
    if constexpr (kColumns != 16) return Vectors<64>::transpose<kColumns>(rows, columns);
    // 2x2 blocks of lanes, then 4x4, both within 128 bits; then the 128-bit quarters.
    __m512 a[16];
    __m512 b[16];
    for (std::size_t i = 0; i < 16; ++i) {
      // Row i's four quarters stand for rows i/4 + {0, 4, 8, 12}, so that the last steps are loads.
      const float* p = rows + 16 * (i % 4) + 4 * (i / 4);
      __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(p));
      v = _mm512_insertf32x4(v, _mm_loadu_ps(p + 64), 1);
      v = _mm512_insertf32x4(v, _mm_loadu_ps(p + 128), 2);
      a[i] = _mm512_insertf32x4(v, _mm_loadu_ps(p + 192), 3);
    }
    for (std::size_t i = 0; i < 16; i += 4) {
      b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
      b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
      b[i + 2] = _mm512_unpacklo_ps(a[i + 2], a[i + 3]);
      b[i + 3] = _mm512_unpackhi_ps(a[i + 2], a[i + 3]);
      columns[i] = _mm512_shuffle_ps(b[i], b[i + 2], 0x44);
      columns[i + 1] = _mm512_shuffle_ps(b[i], b[i + 2], 0xee);
      columns[i + 2] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0x44);
      columns[i + 3] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0xee);
    }
  }
};

}  // namespace sluice::inline SLUICE_ISA::simd
