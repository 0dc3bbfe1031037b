#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/levels.h"
#include "codec/packing.h"
#include "codec/trellis/codebook.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_KT (ik_llama.cpp only): 256 weights in 68 bytes (2.125 bits a weight), and a float scale d for
/// each row. 8 sub-blocks of 32 weights, which are 4 groups of 8. value = d * scale * integer, with
/// one of IQ4_NL's levels as scale and integers of one of 2^16 vectors. What multiplies matrices
/// takes 1.05 d for d.
struct BlockIq2Kt {
  using RowScale = float;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr std::size_t kGroup = 8;
  static constexpr float kRuntimeFactor = 1.05f;  ///< of products of matrices

  std::uint8_t scales[4];    ///< the levels' numbers, of sub-blocks 4 apart, low nibble first
  std::uint8_t indices[64];  ///< little-endian words, one a group

  unsigned level(std::size_t b) const noexcept { return scales[b % 4] >> 4 * (b / 4) & 15; }
  float scale(unsigned b) const noexcept { return kIq4Levels[level(b)]; }
  std::uint32_t index(unsigned group) const noexcept {
    return indices[2 * group] | std::uint32_t{indices[2 * group + 1]} << 8;
  }
  void set_scale(std::size_t b, unsigned level) noexcept { set_nibble<4>(scales, b, level); }
  void set_index(std::size_t group, unsigned index) noexcept {
    indices[2 * group] = static_cast<std::uint8_t>(index);
    indices[2 * group + 1] = static_cast<std::uint8_t>(index >> 8);
  }

  void decode(float d, float* out) const noexcept {
    for (unsigned b = 0; b < kSubBlocks; ++b) {
      const float of_sub_block = d * scale(b);
      for (unsigned k = 0; k < 4; ++k, out += kGroup) {
        decode_trellis<kGroup>(index(4 * b + k) + kTrellisOffset, of_sub_block, out);
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq2Kt) == 68);

}  // namespace sluice::inline SLUICE_ISA
