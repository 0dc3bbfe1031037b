#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ2_XXS: 256 weights in 66 bytes (2.0625 bits a weight).
/// 8 sub-blocks of 32 weights, 4 groups of 8 each. A group is an 8-bit index into a codebook of
/// magnitudes and a 7-bit sign index (codec/i_quants/signs.h). A sub-block's second word holds the
/// sign index of group g at bit 7 * g, and in its top 4 bits the scale l.
/// value = d * (l + 0.5) / 4 * (+-entry).
struct BlockIq2Xxs {
  struct SubBlock {
    std::uint8_t index[4];  ///< [group]
    std::uint16_t
        signs_and_scale[2];  ///< a 32-bit word, low half first: blocks have 2-byte alignment
  };
  std::uint16_t d;  ///< fp16 scale of the super-block
  SubBlock sub_block[8];
};
static_assert(sizeof(BlockIq2Xxs) == 66);

}  // namespace sluice::inline SLUICE_ISA
