#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 176 bytes, 5.5 bits a weight: 8 sub-blocks of 32, each with a scale and a min of
/// [0, 63]; a weight is d * scale * code - dmin * min, codes of [0, 31].
struct BlockQ5_K {
  std::uint16_t d;          ///< binary16
  std::uint16_t dmin;       ///< binary16
  std::uint8_t scales[12];  ///< scales and mins, see packing/six_bit_pairs.h
  std::uint8_t high[32];    ///< bit s of byte l: the fifth bit of code l of sub-block s
  std::uint8_t low[128];    ///< the low four bits of the codes, laid out as in Q4_K
};
static_assert(sizeof(BlockQ5_K) == 176);

}  // namespace sluice::inline SLUICE_ISA
