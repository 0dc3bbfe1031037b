#pragma once

// Arithmetic over lanes: a search is written once, for one sub-block, and runs on as many
// sub-blocks as V has lanes. There is never a sum across lanes, and every operation is one
// correctly rounded IEEE operation, so the number of lanes does not show in the result: V may be
// float itself (one lane, plain scalar code) or a vector of any width. Internal linkage, because
// files compiled for different instruction sets may include this header.

#include <cstddef>
#include <cstring>

namespace sluice::inline SLUICE_ISA {

/// Four lanes: what every x86-64 and AArch64 machine has.
using Float4 = float __attribute__((vector_size(16)));

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

template <class V>
static inline V clamp(V value, float low, float high) noexcept {
  return lesser(greater(value, V{} + low), V{} + high);
}

/// The nearest integer, ties to even, for |value| < 2^22: adding 1.5 * 2^23 leaves no bits below
/// one. Unlike a conversion to integer this needs no instruction beyond an addition.
template <class V>
static inline V round_to_integer(V value) noexcept {
  constexpr float kShift = 0x1.8p23f;
  return (value + kShift) - kShift;
}

}  // namespace sluice::inline SLUICE_ISA
