#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/packing.h"
#include "codec/trellis/codebook.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_KT (ik_llama.cpp only): 256 weights in 128 bytes (4 bits a weight), and a float scale d for each
/// row. 8 sub-blocks of 32 weights, which are 8 groups of 4. value = d * scale * integer, with a scale
/// from -64 to 63 and integers of one of 2^15 vectors, from either of two codebooks in each sub-block.
struct BlockIq4Kt {
  using RowScale = float;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr std::size_t kGroup = 4;
  static constexpr float kRuntimeFactor = 1;  ///< of products of matrices
  static constexpr std::size_t kParts = 2;    ///< codebooks
  static constexpr int kMostMultiple = 63;

  /// Of each sub-block: bit 0, which codebook; bits 1 to 7, scale + 64; then the upper three bits of
  /// the groups' indices.
  std::uint32_t heads[8];
  std::uint8_t low[64];     ///< low 8 bits of the groups' indices
  std::uint8_t middle[32];  ///< bits 8 to 11, of groups 32 apart, low nibble first

  int scale(unsigned b) const noexcept { return static_cast<int>(heads[b] >> 1 & 127u) - 64; }
  std::uint32_t offset(unsigned b) const noexcept {
    return kTrellisOffset + 32768 * (heads[b] & 1);
  }
  std::uint32_t index(unsigned b, unsigned k) const noexcept {
    const unsigned group = 8 * b + k;
    return low[group] | (middle[group % 32] >> 4 * (group / 32) & 15u) << 8 |
           (heads[b] >> (8 + 3 * k) & 7u) << 12;
  }

  void set_scale(std::size_t b, int scale) noexcept {
    put_bits<7>(heads[b], 1, static_cast<unsigned>(scale + 64));
  }
  /// \param index  in both codebooks: bit 15 is which, the same for all groups of a sub-block
  void set_index(std::size_t group, unsigned index) noexcept {
    low[group] = static_cast<std::uint8_t>(index);
    set_nibble<32>(middle, group, index >> 8);
    put_bits<3>(heads[group / 8], 8 + 3 * (group % 8), index >> 12);
    put_bits<1>(heads[group / 8], 0, index >> 15);
  }

  void decode(float d, float* out) const noexcept {
    for (unsigned b = 0; b < kSubBlocks; ++b) {
      const float of_sub_block = d * static_cast<float>(scale(b));
      for (unsigned k = 0; k < 8; ++k, out += kGroup) {
        decode_trellis<kGroup>(index(b, k) + offset(b), of_sub_block, out);
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq4Kt) == 128);

}  // namespace sluice::inline SLUICE_ISA
