#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ6_K (ik_llama.cpp only): 256 weights in 212 bytes (6.625 bits a weight).
/// 16 sub-blocks of 16 weights. value = d * scale * kIq6kLevels[shifted][code]; bit b of `extra`
/// chooses the shifted levels.
struct BlockIq6K {
  std::uint16_t d;              ///< fp16 scale of the super-block
  std::uint16_t extra;          ///< bit b: sub-block b has the shifted levels
  std::int8_t scales[16];       ///< [sub-block]
  std::uint8_t codes_low[128];  ///< low 4 bits of 2 weights that are 32 apart
  std::uint8_t codes_high[64];  ///< high 2 bits of 4 weights that are 32 apart

  int scale(unsigned b) const noexcept { return scales[b]; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return (codes_low[b / 4 * 32 + b % 2 * 16 + j] >> 4 * (b / 2 % 2) & 15u) |
           (codes_high[b / 8 * 32 + b % 2 * 16 + j] >> 2 * (b / 2 % 4) & 3u) << 4;
  }
};
static_assert(sizeof(BlockIq6K) == 212);

}  // namespace sluice::inline SLUICE_ISA
