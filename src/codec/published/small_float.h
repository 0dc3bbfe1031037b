#pragma once

// Floats of a few bits.

#include <bit>
#include <cstdint>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// What a sign, kExponentBits and kMantissaBits stand for, exact, where no code is an infinity or
/// NaN. Bits above these are zero. No operand is subnormal, which processors may be slow with.
template <int kExponentBits, int kMantissaBits>
SLUICE_INLINE simd::Floats small_float(const simd::Ints& code) noexcept {
  constexpr int kBits = kExponentBits + kMantissaBits;
  constexpr int kRebias = (127 - ((1 << (kExponentBits - 1)) - 1)) << 23;
  constexpr float kLeastNormal = std::bit_cast<float>(kRebias + (1 << 23));
  const simd::Ints magnitude = code & ((1 << kBits) - 1);
  const simd::Floats normal =
      simd::bits_of<simd::Floats>(simd::shift_left<23 - kMantissaBits>(magnitude) + kRebias);
  // A subnormal number lacks this one's leading bit and has twice its unit: twice this, less that
  // bit, is exact, and below `normal` for no other.
  const simd::Floats number = min(normal, normal + normal - kLeastNormal);
  return simd::bits_of<simd::Floats>(simd::bits_of<simd::Ints>(number) |
                                     simd::shift_left<31 - kBits>(code ^ magnitude));
}

}  // namespace sluice::inline SLUICE_ISA
