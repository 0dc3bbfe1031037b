#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 84 bytes, 2.625 bits a weight: 16 sub-blocks of 16, each with a scale and a min
/// of [0, 15]; a weight is d * scale * code - dmin * min, codes of [0, 3].
struct BlockQ2_K {
  std::uint8_t scales[16];  ///< of sub-block s: scale in the low half, min in the high half
  std::uint8_t codes[64];   ///< see packing/two_bit_planes.h
  std::uint16_t d;          ///< binary16
  std::uint16_t dmin;       ///< binary16
};
static_assert(sizeof(BlockQ2_K) == 84);

}  // namespace sluice::inline SLUICE_ISA
