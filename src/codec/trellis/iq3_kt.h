#pragma once

#include <cmath>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/packing.h"
#include "codec/trellis/codebook.h"

namespace sluice::inline SLUICE_ISA {

/// IQ3_KT (ik_llama.cpp only): 256 weights in 100 bytes (3.125 bits a weight), and a float scale d for
/// each row. 8 sub-blocks of 32 weights, which are 4 groups of 8. value = d * scale * |integer| with
/// the weight's sign, the scale from 0 to 15 and integers of one of 2^16 vectors. What multiplies
/// matrices takes 1.01 d for d.
struct BlockIq3Kt {
  using RowScale = float;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr std::size_t kGroup = 8;
  static constexpr float kRuntimeFactor = 1.01f;  ///< of products of matrices
  static constexpr std::size_t kParts = 1;
  static constexpr int kMostMultiple = 15;

  std::uint8_t scales[4];    ///< of sub-blocks 4 apart, low nibble first
  std::uint8_t indices[64];  ///< little-endian words, one a group
  std::uint8_t signs[32];    ///< bit b of byte j: of weight j of sub-block b, 1 if negative

  unsigned scale(unsigned b) const noexcept { return scales[b % 4] >> 4 * (b / 4) & 15u; }
  std::uint32_t index(unsigned group) const noexcept {
    return indices[2 * group] | std::uint32_t{indices[2 * group + 1]} << 8;
  }
  bool negative(unsigned b, unsigned j) const noexcept { return (signs[j] >> b & 1u) != 0; }

  void set_scale(std::size_t b, int scale) noexcept {
    set_nibble<4>(scales, b, static_cast<unsigned>(scale));
  }
  void set_index(std::size_t group, unsigned index) noexcept {
    indices[2 * group] = static_cast<std::uint8_t>(index);
    indices[2 * group + 1] = static_cast<std::uint8_t>(index >> 8);
  }
  void set_negative(std::size_t b, std::size_t j, bool is_negative) noexcept {
    put_bits<1>(signs[j], b, is_negative ? 1 : 0);
  }

  void decode(float d, float* out) const noexcept {
    for (unsigned b = 0; b < kSubBlocks; ++b, out += 32) {
      const float of_sub_block = d * static_cast<float>(scale(b));
      for (unsigned k = 0; k < 4; ++k) {
        decode_trellis<kGroup>(index(4 * b + k) + kTrellisOffset, 1, out + kGroup * k);
      }
      for (unsigned j = 0; j < 32; ++j) {
        const float magnitude = of_sub_block * std::abs(out[j]);
        out[j] = negative(b, j) ? -magnitude : magnitude;
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq3Kt) == 100);

}  // namespace sluice::inline SLUICE_ISA
