#pragma once

// Arithmetic over lanes: a search is written once, for one sub-block, and runs on as many
// sub-blocks as V, a vector of floats, has lanes. There is never a sum across lanes, and every
// operation is one on integers or one correctly rounded IEEE operation, so the number of lanes does
// not show in the result. Internal linkage, because files compiled for different instruction sets
// include this header.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sluice::inline SLUICE_ISA {

/// Four lanes: what every x86-64 and AArch64 machine has.
using Float4 = float __attribute__((vector_size(16)));

// What the instruction set has most of.
#if defined(__AVX512F__)
using Float16 = float __attribute__((vector_size(64)));
using FloatLanes = Float16;
#elif defined(__AVX2__)
using Float8 = float __attribute__((vector_size(32)));
using FloatLanes = Float8;
#else
using FloatLanes = Float4;
#endif

template <class V>
inline constexpr int kLanes = static_cast<int>(sizeof(V) / sizeof(float));

template <class V>
static inline V load(const float* from) noexcept {
  V value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class V>
static inline void store(float* to, const V& value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

template <class V>
static inline V lesser(V a, V b) noexcept {
  return a < b ? a : b;
}

template <class V>
static inline V greater(V a, V b) noexcept {
  return a > b ? a : b;
}

/// The nearest integer, ties to even, for |value| < 2^22: adding 1.5 * 2^23 leaves no bits below
/// one. Unlike a conversion to integer this needs no instruction beyond an addition.
template <class V>
static inline V round_to_integer(V value) noexcept {
  constexpr float kShift = 0x1.8p23f;
  return (value + kShift) - kShift;
}

template <class V>
static inline V square_root(V value) noexcept {
  if constexpr (kLanes<V> == 1) {
    return std::sqrt(value);
  } else {
    for (int lane = 0; lane < kLanes<V>; ++lane) value[lane] = std::sqrt(value[lane]);
    return value;
  }
}

// The same where the compiler does not find the instruction by itself. Rounding by instruction
// differs in the sign of zero only.
#if defined(__SSE2__)
template <>
inline Float4 square_root(Float4 value) noexcept {
  return _mm_sqrt_ps(value);
}
#endif
#if defined(__AVX512F__)
// Masked, because g++ 12 takes the plain ones for uses of something uninitialized.
inline constexpr __mmask16 kAll = 0xffff;
template <>
inline Float16 lesser(Float16 a, Float16 b) noexcept {
  return _mm512_maskz_min_ps(kAll, a, b);
}
template <>
inline Float16 greater(Float16 a, Float16 b) noexcept {
  return _mm512_maskz_max_ps(kAll, a, b);
}
template <>
inline Float16 round_to_integer(Float16 value) noexcept {
  return _mm512_maskz_roundscale_ps(kAll, value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
template <>
inline Float16 square_root(Float16 value) noexcept {
  return _mm512_maskz_sqrt_ps(kAll, value);
}
#elif defined(__AVX2__)
template <>
inline Float8 round_to_integer(Float8 value) noexcept {
  return _mm256_round_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
template <>
inline Float8 square_root(Float8 value) noexcept {
  return _mm256_sqrt_ps(value);
}
#endif

template <class V>
static inline V magnitude_of(V value) noexcept {
  return greater(value, -value);
}

template <class V>
static inline V clamp(V value, float low, float high) noexcept {
  return lesser(greater(value, V{} + low), V{} + high);
}

/// Two 16-bit integers in place of each lane of V: the lower and the upper half of what is an
/// integer of 32 bits in Ints.
template <class V>
struct LaneIntegers {
  typedef std::int16_t Shorts __attribute__((vector_size(sizeof(V))));
  typedef std::int32_t Ints __attribute__((vector_size(sizeof(V))));
};
template <class V>
using Shorts = typename LaneIntegers<V>::Shorts;
template <class V>
using Ints = typename LaneIntegers<V>::Ints;

/// Magnitudes, +0 for zeros of either sign.
template <class V>
static inline V without_sign(V value) noexcept {
  return (V)((Ints<V>)value & 0x7fffffff);
}

/// Pairs of numbers times `unit`, a power of two, rounded to integers, ties to even; of
/// [-2^15, 2^15).
template <class V>
static inline Shorts<V> pair_integers(V lower, V upper, float unit = 1.0f) noexcept {
  // The low bits of the sums are the integers, negative ones too.
  const float shift = 0x1.8p23f / unit;
  const Ints<V> low = (Ints<V>)(lower + shift) & 0xffff;
  const Ints<V> high = (Ints<V>)(upper + shift) << 16;
  return (Shorts<V>)(low | high);
}

/// a * b / 2^15 rounded to an integer, ties up.
template <class S>
static inline S multiply_fractions(S a, S b) noexcept {
  for (std::size_t i = 0; i < sizeof(S) / sizeof(a[0]); ++i) {
    a[i] = static_cast<std::int16_t>((a[i] * b[i] + 0x4000) >> 15);
  }
  return a;
}

/// The sum of the two products of each lane.
template <class V>
static inline Ints<V> add_products(Shorts<V> a, Shorts<V> b) noexcept {
  Ints<V> sums{};
  for (int i = 0; i < kLanes<V>; ++i) sums[i] = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return sums;
}

/// sum + add_products(a, b)
template <class V>
static inline Ints<V> accumulate_products(Ints<V> sum, Shorts<V> a, Shorts<V> b) noexcept {
  return sum + add_products<V>(a, b);
}

#if defined(__SSE2__)
template <>
inline Shorts<Float4> multiply_fractions(Shorts<Float4> a, Shorts<Float4> b) noexcept {
  const Shorts<Float4> low = (Shorts<Float4>)_mm_mullo_epi16((__m128i)a, (__m128i)b);
  const Shorts<Float4> high = (Shorts<Float4>)_mm_mulhi_epi16((__m128i)a, (__m128i)b);
  // Of the 32 bits of the product, bits 15 to 30, and bit 14 rounds.
  const __m128i round = _mm_and_si128(_mm_srli_epi16((__m128i)low, 14), _mm_set1_epi16(1));
  const __m128i bits =
      _mm_or_si128(_mm_slli_epi16((__m128i)high, 1), _mm_srli_epi16((__m128i)low, 15));
  return (Shorts<Float4>)_mm_add_epi16(bits, round);
}
template <>
inline Ints<Float4> add_products<Float4>(Shorts<Float4> a, Shorts<Float4> b) noexcept {
  return (Ints<Float4>)_mm_madd_epi16((__m128i)a, (__m128i)b);
}
#endif
#if defined(__AVX512F__)
template <>
inline Shorts<Float16> multiply_fractions(Shorts<Float16> a, Shorts<Float16> b) noexcept {
  return (Shorts<Float16>)_mm512_mulhrs_epi16((__m512i)a, (__m512i)b);
}
template <>
inline Ints<Float16> add_products<Float16>(Shorts<Float16> a, Shorts<Float16> b) noexcept {
  return (Ints<Float16>)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}
#if defined(__AVX512VNNI__)
template <>
inline Ints<Float16> accumulate_products<Float16>(Ints<Float16> sum, Shorts<Float16> a,
                                                  Shorts<Float16> b) noexcept {
  return (Ints<Float16>)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
}
#endif
#elif defined(__AVX2__)
template <>
inline Shorts<Float8> multiply_fractions(Shorts<Float8> a, Shorts<Float8> b) noexcept {
  return (Shorts<Float8>)_mm256_mulhrs_epi16((__m256i)a, (__m256i)b);
}
template <>
inline Ints<Float8> add_products<Float8>(Shorts<Float8> a, Shorts<Float8> b) noexcept {
  return (Ints<Float8>)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}
#endif

/// Integers within [low, high].
template <class S>
static inline S clamp_integers(S value, S low, S high) noexcept {
  value = value > low ? value : low;
  return value < high ? value : high;
}

template <class V>
static inline V to_float(Ints<V> value) noexcept {
  return __builtin_convertvector(value, V);
}

/// Stores integers of [0, 255] as bytes.
template <class V>
static inline void store_bytes(std::uint8_t* to, V integers) noexcept {
  typedef std::uint8_t Bytes __attribute__((vector_size(sizeof(V) / sizeof(float))));
  const Bytes bytes = __builtin_convertvector(__builtin_convertvector(integers, Ints<V>), Bytes);
  std::memcpy(to, &bytes, sizeof bytes);
}

#if defined(__AVX512F__)
template <>
inline void store_bytes(std::uint8_t* to, Float16 integers) noexcept {
  const __m128i bytes =
      _mm512_maskz_cvtepi32_epi8(kAll, (__m512i) __builtin_convertvector(integers, Ints<Float16>));
  std::memcpy(to, &bytes, sizeof bytes);
}
#elif defined(__SSE2__) && !defined(__AVX2__)
template <>
inline void store_bytes(std::uint8_t* to, Float4 integers) noexcept {
  const __m128i ints = _mm_cvttps_epi32(integers);
  const __m128i shorts = _mm_packs_epi32(ints, ints);
  const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(shorts, shorts));
  std::memcpy(to, &bytes, sizeof bytes);
}
#elif defined(__AVX2__)
template <>
inline void store_bytes(std::uint8_t* to, Float8 integers) noexcept {
  const __m256i ints = _mm256_cvttps_epi32(integers);
  const __m128i shorts =
      _mm_packs_epi32(_mm256_castsi256_si128(ints), _mm256_extracti128_si256(ints, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(shorts, shorts));
}
#endif

/// The first (or second) half of a0 b0 a1 b1 ...
template <class V>
static inline V interleave_first(V a, V b) noexcept {
  if constexpr (kLanes<V> == 2) {
    return __builtin_shufflevector(a, b, 0, 2);
  } else if constexpr (kLanes<V> == 4) {
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
  } else if constexpr (kLanes<V> == 8) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  } else {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
}

template <class V>
static inline V interleave_second(V a, V b) noexcept {
  if constexpr (kLanes<V> == 2) {
    return __builtin_shufflevector(a, b, 1, 3);
  } else if constexpr (kLanes<V> == 4) {
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
  } else if constexpr (kLanes<V> == 8) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                   31);
  }
}

/// Transposes a square: lane i of row j becomes lane j of row i. Interleaving the upper half of the
/// rows with the lower half moves each bit of a place's number one up; after as many times as the
/// lane's number has bits, lane and row have changed places.
template <class V>
static inline void transpose(V (&rows)[kLanes<V>]) noexcept {
  constexpr int kRows = kLanes<V>;
  if constexpr (kRows > 1) {
#pragma GCC unroll 4
    for (int times = 1; times < kRows; times *= 2) {
      V next[kRows];
#pragma GCC unroll 8
      for (int r = 0; r < kRows / 2; ++r) {
        next[2 * r] = interleave_first(rows[r], rows[r + kRows / 2]);
        next[2 * r + 1] = interleave_second(rows[r], rows[r + kRows / 2]);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) rows[r] = next[r];
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
