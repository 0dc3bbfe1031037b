#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 110 bytes, 3.4375 bits a weight: 16 sub-blocks of 16, each with a scale of six
/// bits; a weight is d * (scale - 32) * (code - 4), codes of [0, 7].
struct BlockQ3_K {
  std::uint8_t high[32];  ///< bit i / 32 of byte i % 32: the third bit of code i
  std::uint8_t low[64];   ///< the low two bits, see packing/two_bit_planes.h
  /// Bytes 0 to 7 hold the low four bits of scales 0 to 7 in their low halves and those of scales 8
  /// to 15 in their high halves. Byte 8 + b holds the upper two bits of scales b, b + 4, b + 8 and
  /// b + 12, lowest bits first.
  std::uint8_t scales[12];
  std::uint16_t d;  ///< binary16
};
static_assert(sizeof(BlockQ3_K) == 110);

void decode_q3_k(const std::byte* blocks, float* out, std::size_t elements) noexcept;
bool scales_finite_q3_k(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
