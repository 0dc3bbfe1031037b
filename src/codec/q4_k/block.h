#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 144 bytes, 4.5 bits a weight: 8 sub-blocks of 32, each with a scale and a min of
/// [0, 63]; a weight is d * scale * code - dmin * min, codes of [0, 15].
struct BlockQ4_K {
  std::uint16_t d;          ///< binary16
  std::uint16_t dmin;       ///< binary16
  std::uint8_t scales[12];  ///< scales and mins, see packing/six_bit_pairs.h
  /// Byte 32 * g + l holds the code of weight 64 * g + l in its low half and that of the weight 32
  /// further on in its high half.
  std::uint8_t codes[128];
};
static_assert(sizeof(BlockQ4_K) == 144);

}  // namespace sluice::inline SLUICE_ISA
