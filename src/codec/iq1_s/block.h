#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ1_S: 256 weights in 50 bytes (1.5625 bits a weight).
/// 8 sub-blocks of 32 weights, 4 groups of 8 each. Group g has an 11-bit index into the ternary
/// codebook: low 8 bits in `low`, high 3 bits at bit 3 * (g % 4) of its sub-block's word in `high`.
/// The word's bits 12 to 14 are the scale l and its top bit the sign of the shift (set: minus).
/// value = d * (2 * l + 1) * (entry +- 0.125).
struct BlockIq1S {
  std::uint16_t d;        ///< fp16 scale of the super-block
  std::uint8_t low[32];   ///< [group]
  std::uint16_t high[8];  ///< [sub-block]
};
static_assert(sizeof(BlockIq1S) == 50);

}  // namespace sluice::inline SLUICE_ISA
