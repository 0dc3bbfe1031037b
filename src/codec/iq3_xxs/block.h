#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ3_XXS: 256 weights in 98 bytes (3.0625 bits a weight).
/// 64 groups of 4 with an 8-bit index into a codebook of magnitudes. 8 sub-blocks of 32 weights
/// have a 32-bit word each: the sign index (codec/lattice/signs.h) of the sub-block's weights 8 * k
/// to 8 * k + 7 at bit 7 * k, and in the top 4 bits the scale l. value = d * (l + 0.5) / 2 *
/// (+-entry).
struct BlockIq3Xxs {
  std::uint16_t d;                      ///< fp16 scale of the super-block
  std::uint8_t index[64];               ///< [group]
  std::uint16_t signs_and_scale[8][2];  ///< [sub-block], low half first
};
static_assert(sizeof(BlockIq3Xxs) == 98);

}  // namespace sluice::inline SLUICE_ISA
