#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 210 bytes, 6.5625 bits a weight: 16 sub-blocks of 16, each with a signed scale; a
/// weight is d * scale * (code - 32), codes of [0, 63].
struct BlockQ6_K {
  /// The low four bits of the codes: byte 64 * h + l holds those of weight 128 * h + l in its low
  /// half and those of the weight 64 further on in its high half.
  std::uint8_t low[128];
  std::uint8_t high[64];  ///< the upper two bits, see packing/two_bit_planes.h
  std::int8_t scales[16];
  std::uint16_t d;  ///< binary16
};
static_assert(sizeof(BlockQ6_K) == 210);

}  // namespace sluice::inline SLUICE_ISA
