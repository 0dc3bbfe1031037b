#pragma once

// Conversions between binary32 and the 16-bit formats of GGUF files, in integer arithmetic: the
// same bits on every machine, with or without F16C. Internal linkage, because files compiled for
// different instruction sets include this header.

#include <bit>
#include <cstdint>

namespace sluice {

/// IEEE 754 binary16 to binary32, exact (subnormals, infinities and NaN included).
static inline float f16_to_f32(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent_and_mantissa = half & 0x7fffu;
  if (exponent_and_mantissa >= 0x7c00u) {  // infinity or NaN: all exponent bits set
    return std::bit_cast<float>(sign | 0x7f800000u | (exponent_and_mantissa & 0x3ffu) << 13);
  }
  if (exponent_and_mantissa >= 0x0400u) {  // normal: rebias the exponent from 15 to 127
    return std::bit_cast<float>(sign | ((exponent_and_mantissa << 13) + (112u << 23)));
  }
  // Subnormal or zero: mantissa * 2^-24, exact in binary32.
  const float magnitude = static_cast<float>(exponent_and_mantissa) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

/// binary32 to binary16, rounding to nearest, ties to even. Values beyond 65519.996 become
/// infinity; NaN stays NaN (made quiet).
static inline std::uint16_t f32_to_f16(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint16_t sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return static_cast<std::uint16_t>(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu));
  }
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // 65520 and more round to infinity
  if (magnitude >= 0x38800000u) {                       // normal in binary16
    const std::uint32_t rebiased = magnitude - (112u << 23);
    const std::uint32_t odd = rebiased >> 13 & 1u;
    return static_cast<std::uint16_t>(sign | (rebiased + 0xfffu + odd) >> 13);
  }
  // Subnormal in binary16: adding 0.5 lines the mantissa up so that the float unit's own rounding
  // (to nearest even) leaves the 2^-24 multiples in the low bits.
  const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
  return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
}

/// bfloat16 to binary32, exact.
static inline float bf16_to_f32(std::uint16_t value) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// binary32 to bfloat16, rounding to nearest, ties to even; NaN stays NaN (made quiet).
static inline std::uint16_t f32_to_bf16(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace sluice
