#pragma once

// Conversions between binary32 and the 16-bit formats of GGUF files, in integer arithmetic: the
// same bits on every machine, with or without F16C. Internal linkage, because files compiled for
// different instruction sets include this header.

#include <bit>
#include <cstdint>

namespace sluice {

/// IEEE 754 binary16 to binary32, exact (subnormals, infinities and NaN included). Without
/// branches, so that loops over it run on vectors.
static inline float f16_to_f32(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent_and_mantissa = half & 0x7fffu;
  const std::uint32_t shifted = exponent_and_mantissa << 13;
  // All exponent bits set: infinity or NaN. Else the exponent's bias goes from 15 to 127.
  const std::uint32_t rebias = exponent_and_mantissa >= 0x7c00u ? 224u << 23 : 112u << 23;
  // Subnormal or zero: mantissa * 2^-24, exact in binary32.
  const float small =
      static_cast<float>(static_cast<std::int32_t>(exponent_and_mantissa)) * 0x1p-24f;
  const std::uint32_t normal_bits = shifted + rebias;
  const std::uint32_t small_bits = std::bit_cast<std::uint32_t>(small);
  return std::bit_cast<float>(sign | (exponent_and_mantissa >= 0x0400u ? normal_bits : small_bits));
}

/// binary32 to binary16, rounding to nearest, ties to even. Values beyond 65519.996 become
/// infinity; NaN stays NaN (made quiet). Without branches too.
static inline std::uint16_t f32_to_f16(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const std::uint32_t nan = 0x7e00u | (magnitude >> 13 & 0x3ffu);
  const std::uint32_t rebiased = magnitude - (112u << 23);
  const std::uint32_t normal = (rebiased + 0xfffu + (rebiased >> 13 & 1u)) >> 13;
  // Subnormal in binary16: adding 0.5 lines the mantissa up so that the float unit's own rounding
  // (to nearest even) leaves the 2^-24 multiples in the low bits.
  const float lined_up = std::bit_cast<float>(magnitude) + 0.5f;
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(lined_up) - 0x3f000000u;
  const std::uint32_t finite = magnitude >= 0x38800000u ? normal : subnormal;
  const std::uint32_t number = magnitude >= 0x477ff000u ? 0x7c00u : finite;  // 65520 and more
  return static_cast<std::uint16_t>(sign | (magnitude > 0x7f800000u ? nan : number));
}

/// bfloat16 to binary32, exact.
static inline float bf16_to_f32(std::uint16_t value) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// binary32 to bfloat16, rounding to nearest, ties to even; not of NaN.
static inline std::uint16_t number_to_bf16(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/// The same, and NaN stays NaN (made quiet).
static inline std::uint16_t f32_to_bf16(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto nan = static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return (bits & 0x7fffffffu) > 0x7f800000u ? nan : number_to_bf16(value);
}

}  // namespace sluice
