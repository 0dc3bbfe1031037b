#pragma once

// Scales as the block formats store them: IEEE binary16.

#include "base/float16.h"

namespace sluice::inline SLUICE_ISA {

/// The binary16 nearest to `value`, saturating: an infinite scale would make the whole block
/// infinite or NaN.
static inline std::uint16_t to_half(float value) noexcept {
  constexpr float kLargest = 65504.0f;
  // Spelled out: std::clamp's references keep loops over this from vectorizing.
  const float not_less = value < -kLargest ? -kLargest : value;
  return f32_to_f16(not_less > kLargest ? kLargest : not_less);
}

/// Whether a binary16 is a number: infinities and NaN have all exponent bits set.
constexpr bool finite_half(std::uint16_t half) noexcept {
  return (half & 0x7c00u) != 0x7c00u;
}

}  // namespace sluice::inline SLUICE_ISA
