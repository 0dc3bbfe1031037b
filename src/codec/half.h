#pragma once

// Scales as the block formats store them: IEEE binary16.

#include <bit>
#include <cstdint>

#include "base/float16.h"

namespace sluice::inline SLUICE_ISA {

/// The binary16 nearest to `value`, ties to even, saturating: an infinite scale would make the
/// whole block infinite or NaN. In half the steps of f32_to_f16(), which knows NaN.
static inline std::uint16_t to_half(float value) noexcept {
  constexpr float kLargest = 65504.0f;
  constexpr float kLeastNormal = 0x1p-14f;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  // Spelled out: the references of std::min and std::max keep loops over this from vectorizing.
  const float any = std::bit_cast<float>(bits & 0x7fffffffu);
  const float magnitude = any < kLargest ? any : kLargest;
  const float power = std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) & 0x7f800000u);
  const float unit = power > kLeastNormal ? power : kLeastNormal;
  // Beside 2^13 units there are as many bits as binary16 has: the sum is rounded as it is to be,
  // and its low bits count the steps.
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(unit);
  const std::uint32_t steps =
      std::bit_cast<std::uint32_t>(magnitude + unit * 0x1p13f) - (exponent + (13u << 23));
  const std::uint32_t code = ((exponent - (113u << 23)) >> 13) + steps;
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000u) | code);
}

/// Whether a binary16 is a number: infinities and NaN have all exponent bits set.
constexpr bool finite_half(std::uint16_t half) noexcept {
  return (half & 0x7c00u) != 0x7c00u;
}

}  // namespace sluice::inline SLUICE_ISA
