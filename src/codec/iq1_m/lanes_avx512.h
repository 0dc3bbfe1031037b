#pragma once

// The lanes of lanes.h in 512-bit registers, masks in mask registers. Included by lanes.h only.

namespace sluice::inline SLUICE_ISA::iq1_m {

struct FloatMask {
  __mmask16 m;
};
struct Floats {
  __m512 v;
};
struct LaneMask {
  __mmask32 m;
};
struct Shorts {
  __m512i v;
};

SLUICE_INLINE Floats load(const float* p) noexcept {
  return {_mm512_loadu_ps(p)};
}
SLUICE_INLINE void store(Floats a, float* p) noexcept {
  _mm512_storeu_ps(p, a.v);
}
SLUICE_INLINE Floats all(float a) noexcept {
  return {_mm512_set1_ps(a)};
}
SLUICE_INLINE Floats operator+(Floats a, Floats b) noexcept {
  return {_mm512_add_ps(a.v, b.v)};
}
SLUICE_INLINE Floats operator-(Floats a, Floats b) noexcept {
  return {_mm512_sub_ps(a.v, b.v)};
}
SLUICE_INLINE Floats operator*(Floats a, Floats b) noexcept {
  return {_mm512_mul_ps(a.v, b.v)};
}
SLUICE_INLINE Floats operator/(Floats a, Floats b) noexcept {
  return {_mm512_div_ps(a.v, b.v)};
}
SLUICE_INLINE Floats least(Floats a, Floats b) noexcept {
  return {_mm512_min_ps(a.v, b.v)};
}
SLUICE_INLINE Floats most(Floats a, Floats b) noexcept {
  return {_mm512_max_ps(a.v, b.v)};
}
SLUICE_INLINE Floats magnitude(Floats a) noexcept {
  return {_mm512_abs_ps(a.v)};
}
SLUICE_INLINE Floats root(Floats a) noexcept {
  return {_mm512_sqrt_ps(a.v)};
}
SLUICE_INLINE Floats truncate(Floats a) noexcept {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)};
}
SLUICE_INLINE FloatMask operator<(Floats a, Floats b) noexcept {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)};
}
SLUICE_INLINE Floats select(FloatMask m, Floats a, Floats b) noexcept {
  return {_mm512_mask_mov_ps(b.v, m.m, a.v)};
}

SLUICE_INLINE Shorts shorts(int a) noexcept {
  return {_mm512_set1_epi16(static_cast<short>(a))};
}
SLUICE_INLINE void store(Shorts a, std::uint16_t* p) noexcept {
  _mm512_storeu_si512(p, a.v);
}
SLUICE_INLINE Shorts load(const std::uint16_t* p) noexcept {
  return {_mm512_loadu_si512(p)};
}
SLUICE_INLINE Shorts operator+(Shorts a, Shorts b) noexcept {
  return {_mm512_add_epi16(a.v, b.v)};
}
SLUICE_INLINE Shorts operator-(Shorts a, Shorts b) noexcept {
  return {_mm512_sub_epi16(a.v, b.v)};
}
SLUICE_INLINE Shorts operator&(Shorts a, Shorts b) noexcept {
  return {_mm512_and_si512(a.v, b.v)};
}
SLUICE_INLINE Shorts operator|(Shorts a, Shorts b) noexcept {
  return {_mm512_or_si512(a.v, b.v)};
}
SLUICE_INLINE Shorts operator^(Shorts a, Shorts b) noexcept {
  return {_mm512_xor_si512(a.v, b.v)};
}
SLUICE_INLINE Shorts add_saturated(Shorts a, Shorts b) noexcept {
  return {_mm512_adds_epi16(a.v, b.v)};
}
SLUICE_INLINE Shorts least(Shorts a, Shorts b) noexcept {
  return {_mm512_min_epi16(a.v, b.v)};
}
SLUICE_INLINE Shorts most(Shorts a, Shorts b) noexcept {
  return {_mm512_max_epi16(a.v, b.v)};
}
SLUICE_INLINE Shorts magnitude(Shorts a) noexcept {
  return {_mm512_abs_epi16(a.v)};
}
SLUICE_INLINE Shorts multiply_high(Shorts a, Shorts b) noexcept {
  return {_mm512_mulhi_epu16(a.v, b.v)};
}
template <int kBits>
SLUICE_INLINE Shorts left(Shorts a) noexcept {
  return {_mm512_slli_epi16(a.v, kBits)};
}
template <int kBits>
SLUICE_INLINE Shorts right(Shorts a) noexcept {
  return {_mm512_srli_epi16(a.v, kBits)};
}
/// Twice a, plus 1 where b is negative.
SLUICE_INLINE Shorts append_sign(Shorts a, Shorts b) noexcept {
#if defined(__AVX512VBMI2__)
  return {_mm512_shldi_epi16(a.v, b.v, 1)};
#else
  return left<1>(a) | right<15>(b);
#endif
}
SLUICE_INLINE LaneMask operator<(Shorts a, Shorts b) noexcept {
  return {_mm512_cmplt_epi16_mask(a.v, b.v)};
}
SLUICE_INLINE LaneMask less_where(LaneMask m, Shorts a, Shorts b) noexcept {
  return {_mm512_mask_cmplt_epi16_mask(m.m, a.v, b.v)};
}
SLUICE_INLINE LaneMask negative(Shorts a) noexcept {
  return {_mm512_movepi16_mask(a.v)};
}
SLUICE_INLINE LaneMask any_bit(Shorts a, int bits) noexcept {
  return {_mm512_test_epi16_mask(a.v, _mm512_set1_epi16(static_cast<short>(bits)))};
}
SLUICE_INLINE Shorts select(LaneMask m, Shorts a, Shorts b) noexcept {
  return {_mm512_mask_mov_epi16(b.v, m.m, a.v)};
}
SLUICE_INLINE Shorts add_where(LaneMask m, Shorts a, Shorts b) noexcept {
  return {_mm512_mask_add_epi16(a.v, m.m, a.v, b.v)};
}
SLUICE_INLINE Shorts subtract_where(LaneMask m, Shorts a, Shorts b) noexcept {
  return {_mm512_mask_sub_epi16(a.v, m.m, a.v, b.v)};
}
SLUICE_INLINE LaneMask join(FloatMask low, FloatMask high) noexcept {
  return {_mm512_kunpackw(high.m, low.m)};
}
SLUICE_INLINE FloatMask half(LaneMask m, std::size_t which) noexcept {
  return {static_cast<__mmask16>(which == 0 ? m.m : m.m >> 16)};
}

/// The lanes of two halves, rounded toward zero: integers of 16 bits, signed or not.
SLUICE_INLINE Shorts integers(Floats low, Floats high) noexcept {
  alignas(64) static constexpr std::uint16_t kLowHalves[kLanes] = {
      0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
      32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62};
  return {_mm512_permutex2var_epi16(_mm512_cvttps_epi32(low.v), _mm512_load_si512(kLowHalves),
                                    _mm512_cvttps_epi32(high.v))};
}
SLUICE_INLINE Floats floats(Shorts a, std::size_t half) noexcept {
  return {_mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(half == 0 ? _mm512_castsi512_si256(a.v)
                                                             : _mm512_extracti64x4_epi64(a.v, 1)))};
}

/// Lanes 2i and 2i + 1 change places.
SLUICE_INLINE Floats swap_neighbours(Floats a) noexcept {
  return {_mm512_permute_ps(a.v, 0xb1)};
}

/// Lanes are added as pairs 8 apart, then 4, 2, 1: the same order for every register width.
SLUICE_INLINE float sum(Floats a) noexcept {
  const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}
SLUICE_INLINE float largest(Floats a) noexcept {
  return _mm512_reduce_max_ps(a.v);
}
/// The first of the least lanes.
SLUICE_INLINE std::size_t place_of_least(Floats a) noexcept {
  const __mmask16 m =
      _mm512_cmp_ps_mask(a.v, _mm512_set1_ps(_mm512_reduce_min_ps(a.v)), _CMP_EQ_OQ);
  return static_cast<std::size_t>(__builtin_ctz(m | 0x10000u));
}

/// Rows of 16 to columns: lane r of out[c] is rows[16 * r + c].
SLUICE_INLINE void transpose(const float* rows, Floats* out) noexcept {
  __m512 a[16];
  __m512 b[16];
  // 2x2 blocks of lanes, then 4x4, both within 128 bits; then the 128-bit quarters.
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
    out[i].v = _mm512_shuffle_ps(b[i], b[i + 2], 0x44);
    out[i + 1].v = _mm512_shuffle_ps(b[i], b[i + 2], 0xee);
    out[i + 2].v = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    out[i + 3].v = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
