#pragma once

// Arithmetic over lanes: a search is written once, for one sub-block, and runs on as many
// sub-blocks as V has lanes. There is never a sum across lanes, and every operation is one
// correctly rounded IEEE operation, so the number of lanes does not show in the result: V may be
// float itself (one lane, plain scalar code) or a vector of any width. Internal linkage, because
// files compiled for different instruction sets may include this header.

#include <cmath>
#include <cstddef>
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

/// The first (or second) half of a0 b0 a1 b1 ...
template <class V>
static inline V interleave_first(V a, V b) noexcept {
  if constexpr (kLanes<V> == 4) {
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
  } else if constexpr (kLanes<V> == 8) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  } else {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
}

template <class V>
static inline V interleave_second(V a, V b) noexcept {
  if constexpr (kLanes<V> == 4) {
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
