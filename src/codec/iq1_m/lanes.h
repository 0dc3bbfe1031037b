#pragma once

// Vectors of lanes for the IQ1_M encoder: 16 floats or 32 small integers, one lane a group of 8
// weights, so that a super-block's 32 groups are one vector of integers or two of floats
// ("halves"). The width is the method's, not the machine's: one 512-bit register, two of 256 bits
// or four of 128. All operations are exact or correctly rounded and go lane by lane, so that the
// results are the same whatever the registers are.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
// g++ 12 takes the intrinsics' own undefined registers for mistakes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

namespace sluice::inline SLUICE_ISA::iq1_m {

inline constexpr std::size_t kFloats = 16;
inline constexpr std::size_t kLanes = 32;

#define SLUICE_INLINE inline __attribute__((always_inline))

#if defined(__AVX512BW__) && defined(__AVX512DQ__)

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

#else

#if defined(__AVX2__)
inline constexpr std::size_t kRegister = 32;
#else
inline constexpr std::size_t kRegister = 16;
#endif
inline constexpr std::size_t kParts = 64 / kRegister;

typedef float FloatRegister __attribute__((vector_size(kRegister)));
typedef std::int32_t IntRegister __attribute__((vector_size(kRegister)));
typedef std::int16_t ShortRegister __attribute__((vector_size(kRegister)));
typedef std::uint16_t UnsignedRegister __attribute__((vector_size(kRegister)));

struct FloatMask {
  IntRegister part[kParts];  // all bits or none
};
struct Floats {
  FloatRegister part[kParts];
};
struct LaneMask {
  ShortRegister part[kParts];  // all bits or none
};
struct Shorts {
  ShortRegister part[kParts];
};

template <typename To, typename Operation>
SLUICE_INLINE To for_parts(Operation operation) noexcept {
  To result;
  for (std::size_t i = 0; i < kParts; ++i) result.part[i] = operation(i);
  return result;
}

SLUICE_INLINE Floats load(const float* p) noexcept {
  Floats a;
  std::memcpy(&a, p, sizeof a);
  return a;
}
SLUICE_INLINE void store(const Floats& a, float* p) noexcept {
  std::memcpy(p, &a, sizeof a);
}
SLUICE_INLINE Floats all(float a) noexcept {
  return for_parts<Floats>([&](std::size_t) noexcept { return FloatRegister{} + a; });
}
#define SLUICE_LANES(Type, name, expression)                       \
  SLUICE_INLINE Type name(const Type& a, const Type& b) noexcept { \
    return for_parts<Type>([&](std::size_t i) noexcept {           \
      const auto x = a.part[i];                                    \
      const auto y = b.part[i];                                    \
      return expression;                                           \
    });                                                            \
  }
SLUICE_LANES(Floats, operator+, x + y)
SLUICE_LANES(Floats, operator-, x - y)
SLUICE_LANES(Floats, operator*, x* y)
SLUICE_LANES(Floats, operator/, x / y)
SLUICE_LANES(Floats, least, x < y ? x : y)
SLUICE_LANES(Floats, most, x > y ? x : y)
SLUICE_LANES(Shorts, operator+, x + y)
SLUICE_LANES(Shorts, operator-, x - y)
SLUICE_LANES(Shorts, operator&, x& y)
SLUICE_LANES(Shorts, operator|, x | y)
SLUICE_LANES(Shorts, operator^, x ^ y)
SLUICE_LANES(Shorts, least, x < y ? x : y)
SLUICE_LANES(Shorts, most, x > y ? x : y)
#undef SLUICE_LANES

SLUICE_INLINE Floats magnitude(const Floats& a) noexcept {
  return for_parts<Floats>([&](std::size_t i) noexcept {
    return reinterpret_cast<FloatRegister>(reinterpret_cast<IntRegister>(a.part[i]) & 0x7fffffff);
  });
}
SLUICE_INLINE Floats root(const Floats& a) noexcept {
#if defined(__AVX2__)
  return for_parts<Floats>([&](std::size_t i) noexcept { return _mm256_sqrt_ps(a.part[i]); });
#elif defined(__SSE2__)
  return for_parts<Floats>([&](std::size_t i) noexcept { return _mm_sqrt_ps(a.part[i]); });
#else
  return for_parts<Floats>([&](std::size_t i) noexcept {
    FloatRegister r;
    for (std::size_t k = 0; k < kRegister / 4; ++k) r[k] = std::sqrt(a.part[i][k]);
    return r;
  });
#endif
}
SLUICE_INLINE Floats truncate(const Floats& a) noexcept {
  return for_parts<Floats>([&](std::size_t i) noexcept {
    return __builtin_convertvector(__builtin_convertvector(a.part[i], IntRegister), FloatRegister);
  });
}
SLUICE_INLINE FloatMask operator<(const Floats& a, const Floats& b) noexcept {
  return for_parts<FloatMask>([&](std::size_t i) noexcept { return a.part[i] < b.part[i]; });
}
SLUICE_INLINE Floats select(const FloatMask& m, const Floats& a, const Floats& b) noexcept {
  return for_parts<Floats>(
      [&](std::size_t i) noexcept { return m.part[i] ? a.part[i] : b.part[i]; });
}

SLUICE_INLINE Shorts shorts(int a) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t) noexcept { return ShortRegister{} + static_cast<std::int16_t>(a); });
}
SLUICE_INLINE void store(const Shorts& a, std::uint16_t* p) noexcept {
  std::memcpy(p, &a, sizeof a);
}
SLUICE_INLINE Shorts load(const std::uint16_t* p) noexcept {
  Shorts a;
  std::memcpy(&a, p, sizeof a);
  return a;
}
SLUICE_INLINE Shorts magnitude(const Shorts& a) noexcept {
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    const ShortRegister negated = -a.part[i];
    return a.part[i] > negated ? a.part[i] : negated;
  });
}
SLUICE_INLINE Shorts add_saturated(const Shorts& a, const Shorts& b) noexcept {
#if defined(__AVX2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(_mm256_adds_epi16(reinterpret_cast<__m256i>(a.part[i]),
                                                             reinterpret_cast<__m256i>(b.part[i])));
  });
#elif defined(__SSE2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(
        _mm_adds_epi16(reinterpret_cast<__m128i>(a.part[i]), reinterpret_cast<__m128i>(b.part[i])));
  });
#else
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    ShortRegister r;
    for (std::size_t k = 0; k < kRegister / 2; ++k) {
      const int exact = a.part[i][k] + b.part[i][k];
      r[k] = static_cast<std::int16_t>(exact > 32767 ? 32767 : exact < -32768 ? -32768 : exact);
    }
    return r;
  });
#endif
}
SLUICE_INLINE Shorts multiply_high(const Shorts& a, const Shorts& b) noexcept {
#if defined(__AVX2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(_mm256_mulhi_epu16(
        reinterpret_cast<__m256i>(a.part[i]), reinterpret_cast<__m256i>(b.part[i])));
  });
#elif defined(__SSE2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(_mm_mulhi_epu16(reinterpret_cast<__m128i>(a.part[i]),
                                                           reinterpret_cast<__m128i>(b.part[i])));
  });
#else
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    ShortRegister r;
    for (std::size_t k = 0; k < kRegister / 2; ++k) {
      r[k] = static_cast<std::int16_t>(std::uint32_t{static_cast<std::uint16_t>(a.part[i][k])} *
                                           static_cast<std::uint16_t>(b.part[i][k]) >>
                                       16);
    }
    return r;
  });
#endif
}
template <int kBits>
SLUICE_INLINE Shorts left(const Shorts& a) noexcept {
  return for_parts<Shorts>([&](std::size_t i) noexcept { return a.part[i] << kBits; });
}
template <int kBits>
SLUICE_INLINE Shorts right(const Shorts& a) noexcept {
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(reinterpret_cast<UnsignedRegister>(a.part[i]) >> kBits);
  });
}
/// Twice a, plus 1 where b is negative.
SLUICE_INLINE Shorts append_sign(const Shorts& a, const Shorts& b) noexcept {
  return left<1>(a) | right<15>(b);
}
SLUICE_INLINE LaneMask operator<(const Shorts& a, const Shorts& b) noexcept {
  return for_parts<LaneMask>([&](std::size_t i) noexcept { return a.part[i] < b.part[i]; });
}
SLUICE_INLINE LaneMask less_where(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<LaneMask>(
      [&](std::size_t i) noexcept { return (a.part[i] < b.part[i]) & m.part[i]; });
}
SLUICE_INLINE LaneMask negative(const Shorts& a) noexcept {
  return for_parts<LaneMask>([&](std::size_t i) noexcept { return a.part[i] >> 15; });
}
SLUICE_INLINE LaneMask any_bit(const Shorts& a, int bits) noexcept {
  return for_parts<LaneMask>(
      [&](std::size_t i) noexcept { return (a.part[i] & static_cast<std::int16_t>(bits)) != 0; });
}
SLUICE_INLINE Shorts select(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t i) noexcept { return m.part[i] ? a.part[i] : b.part[i]; });
}
SLUICE_INLINE Shorts add_where(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t i) noexcept { return a.part[i] + (b.part[i] & m.part[i]); });
}
SLUICE_INLINE Shorts subtract_where(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t i) noexcept { return a.part[i] - (b.part[i] & m.part[i]); });
}

/// 16 lanes of 32 bits as memory, and 32 of 16: how halves are split and joined.
struct Ints {
  std::int32_t lane[kFloats];
};
struct ShortLanes {
  std::int16_t lane[kLanes];
};
template <typename To, typename From>
SLUICE_INLINE To recast(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
SLUICE_INLINE ShortLanes narrow(const Ints& low, const Ints& high) noexcept {
  ShortLanes lanes;
  for (std::size_t i = 0; i < kFloats; ++i) {
    lanes.lane[i] = static_cast<std::int16_t>(low.lane[i]);
  }
  for (std::size_t i = 0; i < kFloats; ++i) {
    lanes.lane[kFloats + i] = static_cast<std::int16_t>(high.lane[i]);
  }
  return lanes;
}
SLUICE_INLINE Ints widen(const ShortLanes& lanes, std::size_t half) noexcept {
  Ints ints;
  for (std::size_t i = 0; i < kFloats; ++i) ints.lane[i] = lanes.lane[half * kFloats + i];
  return ints;
}
SLUICE_INLINE LaneMask join(const FloatMask& low, const FloatMask& high) noexcept {
  return recast<LaneMask>(narrow(recast<Ints>(low), recast<Ints>(high)));
}
SLUICE_INLINE FloatMask half(const LaneMask& m, std::size_t which) noexcept {
  return recast<FloatMask>(widen(recast<ShortLanes>(m), which));
}
SLUICE_INLINE Ints to_ints(const Floats& a) noexcept {
  struct Parts {
    IntRegister part[kParts];
  };
  return recast<Ints>(for_parts<Parts>(
      [&](std::size_t i) noexcept { return __builtin_convertvector(a.part[i], IntRegister); }));
}

/// The lanes of two halves, rounded toward zero: integers of 16 bits, signed or not.
SLUICE_INLINE Shorts integers(const Floats& low, const Floats& high) noexcept {
  return recast<Shorts>(narrow(to_ints(low), to_ints(high)));
}
SLUICE_INLINE Floats floats(const Shorts& a, std::size_t half) noexcept {
  const Ints ints = widen(recast<ShortLanes>(a), half);
  Floats result;
  float lanes[kFloats];
  for (std::size_t i = 0; i < kFloats; ++i) lanes[i] = static_cast<float>(ints.lane[i]);
  std::memcpy(&result, lanes, sizeof result);
  return result;
}

/// Lanes are added as pairs 8 apart, then 4, 2, 1: the same order for every register width.
SLUICE_INLINE float sum(const Floats& a) noexcept {
  float lanes[kFloats];
  store(a, lanes);
  for (std::size_t width = kFloats / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}
SLUICE_INLINE float largest(const Floats& a) noexcept {
  float lanes[kFloats];
  store(a, lanes);
  float result = lanes[0];
  for (const float lane : lanes) result = lane > result ? lane : result;
  return result;
}
/// The first of the least lanes.
SLUICE_INLINE std::size_t place_of_least(const Floats& a) noexcept {
  float lanes[kFloats];
  store(a, lanes);
  std::size_t place = 0;
  for (std::size_t i = 1; i < kFloats; ++i) place = lanes[i] < lanes[place] ? i : place;
  return place;
}

/// Rows of 16 to columns: lane r of out[c] is rows[16 * r + c].
SLUICE_INLINE void transpose(const float* rows, Floats* out) noexcept {
  for (std::size_t c = 0; c < kFloats; ++c) {
    float lanes[kFloats];
    for (std::size_t r = 0; r < kFloats; ++r) lanes[r] = rows[kFloats * r + c];
    std::memcpy(&out[c], lanes, sizeof lanes);
  }
}

#endif

SLUICE_INLINE float sum(Floats low, Floats high) noexcept {
  return sum(low + high);
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
