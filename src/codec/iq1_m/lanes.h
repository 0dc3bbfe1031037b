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

}  // namespace sluice::inline SLUICE_ISA::iq1_m

#if defined(__AVX512BW__) && defined(__AVX512DQ__)
#include "codec/iq1_m/lanes_avx512.h"
#else
#include "codec/iq1_m/lanes_vector.h"
#endif

namespace sluice::inline SLUICE_ISA::iq1_m {

SLUICE_INLINE float sum(Floats low, Floats high) noexcept {
  return sum(low + high);
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
