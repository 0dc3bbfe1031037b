#pragma once

// The four-bit floating-point numbers of MXFP4 and NVFP4.

#include <cstdint>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// Twice the value of each code (sign, two bits of exponent, one of mantissa), so that all are
/// integers. Code 8, minus zero, is plain zero here, as in the readers of these formats.
inline constexpr std::int8_t kTwiceE2M1[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                               0, -1, -2, -3, -4, -6, -8, -12};

/// The E2M1 number nearest to each number that is not negative, ties to even codes. With one bit of
/// mantissa the step is half the power of two below the number, and a half below one; adding
/// 1.5 * 2^23 steps leaves no bits below a step.
template <std::size_t N>
SLUICE_INLINE simd::Lanes<float, N> round_to_e2m1(const simd::Lanes<float, N>& numbers) noexcept {
  using Values = simd::Lanes<float, N>;
  const Values number = min(numbers, 6);
  const Values power =
      simd::bits_of<Values>(simd::bits_of<simd::Lanes<std::int32_t, N>>(number) & 0x7f800000);
  const Values shift = max(power, 1) * 0x1.8p22f;
  return (number + shift) - shift;
}

}  // namespace sluice::inline SLUICE_ISA
