#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ3_S: 256 weights in 110 bytes (3.4375 bits a weight).
/// 64 groups of 4 with a 9-bit index into a codebook of magnitudes (low 8 bits in `low`, the ninth
/// at bit g % 8 of `high[g / 8]`) and 4 sign bits. 8 sub-blocks of 32 weights with 4-bit scales.
/// value = d * (2 * l + 1) * (+-entry).
struct BlockIq3S {
  std::uint16_t d;       ///< fp16 scale of the super-block
  std::uint8_t low[64];  ///< [group]
  std::uint8_t high[8];
  std::uint8_t signs[32];  ///< two groups a byte, low nibble first; bit set: value is negative
  std::uint8_t scales[4];  ///< two sub-blocks a byte, low nibble first
};
static_assert(sizeof(BlockIq3S) == 110);

}  // namespace sluice::inline SLUICE_ISA
