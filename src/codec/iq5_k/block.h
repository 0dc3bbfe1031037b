#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ5_K (ik_llama.cpp only): 256 weights in 176 bytes (5.5 bits a weight).
/// 16 sub-blocks of 16 weights. value = d * scale * kIq5kLevels[shifted][code], with a scale from
/// -32 to 31; bit b of `extra` chooses the shifted levels.
struct BlockIq5K {
  std::uint16_t d;              ///< fp16 scale of the super-block
  std::uint16_t extra;          ///< bit b: sub-block b has the shifted levels
  std::uint8_t scales_high[4];  ///< high 2 bits of scale + 32, four sub-blocks a byte
  std::uint8_t scales_low[8];   ///< low 4 bits, two sub-blocks a byte
  std::uint8_t codes_low[128];  ///< low 4 bits of 2 weights that are 32 apart
  std::uint8_t code_high[32];   ///< fifth bit of 8 weights that are 32 apart, lowest bit first

  int scale(unsigned b) const noexcept {
    const int low = scales_low[b / 2] >> 4 * (b % 2) & 15;
    const int high = scales_high[b / 4] >> 2 * (b % 4) & 3;
    return (low | high << 4) - 32;
  }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return (codes_low[b / 4 * 32 + b % 2 * 16 + j] >> 4 * (b / 2 % 2) & 15u) |
           (code_high[b % 2 * 16 + j] >> b / 2 & 1u) << 4;
  }
};
static_assert(sizeof(BlockIq5K) == 176);

}  // namespace sluice::inline SLUICE_ISA
