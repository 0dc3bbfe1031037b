#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ4_XS: 256 weights in 136 bytes (4.25 bits a weight).
/// 8 sub-blocks of 32 weights, coded as in IQ4_NL, with 6-bit scales: low 4 bits in `scales_low`,
/// high 2 bits at bit 2 * b of `scales_high`. value = d * (scale - 32) * kIq4Levels[code].
struct BlockIq4Xs {
  std::uint16_t d;  ///< fp16 scale of the super-block
  std::uint16_t scales_high;
  std::uint8_t scales_low[4];  ///< two sub-blocks a byte, low nibble first
  std::uint8_t codes[8][16];   ///< [sub-block]
};
static_assert(sizeof(BlockIq4Xs) == 136);

}  // namespace sluice::inline SLUICE_ISA
