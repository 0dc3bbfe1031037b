#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/levels.h"
#include "codec/packing.h"
#include "codec/trellis/codebook.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_KT (ik_llama.cpp only): 256 weights in 56 bytes (1.75 bits a weight), and a float scale d for
/// each row. 8 sub-blocks of 32 weights, which are 4 groups of 8. value = d * scale * integer, with
/// one of IQ4_NL's levels as scale and integers of one of 2^13 vectors.
struct BlockIq1Kt {
  using RowScale = float;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr std::size_t kGroup = 8;
  static constexpr float kRuntimeFactor = 1;  ///< of products of matrices

  std::uint8_t scales[8];  ///< low nibble: the level's number; bit 4 + k: bit 12 of group k's index
  std::uint8_t low[32];    ///< low 8 bits of the groups' indices
  std::uint8_t middle[16];  ///< bits 8 to 11, of groups 16 apart, low nibble first

  unsigned level(std::size_t b) const noexcept { return scales[b] & 15; }
  float scale(unsigned b) const noexcept { return kIq4Levels[level(b)]; }
  std::uint32_t index(unsigned b, unsigned k) const noexcept {
    const unsigned group = 4 * b + k;
    return low[group] | (middle[group % 16] >> 4 * (group / 16) & 15u) << 8 |
           (scales[b] >> (4 + k) & 1u) << 12;
  }

  void decode(float d, float* out) const noexcept {
    for (unsigned b = 0; b < kSubBlocks; ++b) {
      const float of_sub_block = d * scale(b);
      for (unsigned k = 0; k < 4; ++k, out += kGroup) {
        decode_trellis<kGroup>(index(b, k) + kTrellisOffset, of_sub_block, out);
      }
    }
  }

  void set_scale(std::size_t b, unsigned level) noexcept { put_bits<4>(scales[b], 0, level); }
  void set_index(std::size_t group, unsigned index) noexcept {
    low[group] = static_cast<std::uint8_t>(index);
    set_nibble<16>(middle, group, index >> 8);
    put_bits<1>(scales[group / 4], 4 + group % 4, index >> 12);
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq1Kt) == 56);

}  // namespace sluice::inline SLUICE_ISA
