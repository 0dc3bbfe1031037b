#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 54 bytes, 1.6875 bits a weight: d * (digit - 1), for models trained with weights
/// of -1, 0 and 1 times a constant. Digits are ternary: a byte is a fraction of 256 whose first
/// five digits in base 3 are weights, so digit n is floor(3 * frac(byte * 3^n / 256)).
struct BlockTQ1_0 {
  /// Digit n of byte m < 32 is weight 32 * n + m. Digit n of byte 32 + m is weight 160 + 16 * n +
  /// m.
  std::uint8_t digits[48];
  std::uint8_t last[4];  ///< digit n < 4 of byte m is weight 240 + 4 * n + m
  std::uint16_t d;       ///< binary16
};
static_assert(sizeof(BlockTQ1_0) == 54);

void decode_tq1_0(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_tq1_0(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_tq1_0(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
