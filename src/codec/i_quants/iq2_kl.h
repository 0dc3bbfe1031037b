#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/level_pairs.h"
#include "codec/i_quants/row_scale_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_KL (ik_llama.cpp only): 256 weights in 86 bytes (2.6875 bits a weight), and a binary16 scale d
/// for each row. 8 sub-blocks of 32 weights, with a scale from -32 to 31. Two neighbouring weights
/// are d * scale * one of 32 pairs of levels.
struct BlockIq2Kl {
  using RowScale = std::uint16_t;
  using Codebook = LevelPairs;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr Levels<8> kLevels = LevelPairs::kLevels;
  static constexpr float kShift = 0;
  static constexpr ScaleRange kScales = {.first = -32, .last = 31, .step = 1};
  static constexpr bool kBothRoundings = true;
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.7f, .highest = 1.2f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 6, .lowest = 0.7f, .highest = 1.3f, .candidates = 2};

  std::uint16_t scales_high;   ///< high 2 bits of scale + 32 at bit 2 * b
  std::uint8_t scales_low[4];  ///< low 4 bits: nibble b / 4 of byte b % 4
  std::uint8_t codes_low[64];  ///< low 4 bits of the pairs of two sub-blocks
  std::uint8_t code_high[16];  ///< bit b of byte j: fifth bit of pair j of sub-block b

  int scale(unsigned b) const noexcept {
    const int low = scales_low[b % 4] >> 4 * (b / 4) & 15;
    return (low | (scales_high >> 2 * b & 3) << 4) - 32;
  }
  /// Of pair j.
  unsigned code(unsigned b, unsigned j) const noexcept {
    return (codes_low[b / 2 * 16 + j] >> 4 * (b % 2) & 15u) | (code_high[j] >> b & 1u) << 4;
  }

  void set_scale(unsigned b, int value) noexcept {
    const unsigned biased = static_cast<unsigned>(value + 32);
    put_bits<4>(scales_low[b % 4], 4 * (b / 4), biased);
    put_bits<2>(scales_high, 2 * b, biased >> 4);
  }
  void set_pair(std::size_t i, unsigned code) noexcept {
    set_nibble<16>(codes_low, i, code);
    put_bits<1>(code_high[i % 16], i / 16, code >> 4);
  }
  /// Sets all codes: of a pair, that of its first weight.
  void set_codes(const std::uint8_t (&code)[256]) noexcept {
    std::uint8_t pairs[128];
    for (std::size_t i = 0; i < 128; ++i) pairs[i] = code[2 * i];
    pack_nibbles<16>(pairs, codes_low, 128);
    for (std::size_t j = 0; j < 16; ++j) {
      unsigned high = 0;
      for (std::size_t b = 0; b < kSubBlocks; ++b) high |= (pairs[16 * b + j] >> 4u) << b;
      code_high[j] = static_cast<std::uint8_t>(high);
    }
  }

  void decode(float d, float* out) const noexcept {
    for (unsigned b = 0; b < kSubBlocks; ++b) {
      const float scale_of_b = d * static_cast<float>(scale(b));
      for (unsigned j = 0; j < 16; ++j) {
        const LevelPairs::Pair& pair = LevelPairs::kPairs[code(b, j)];
        *out++ = scale_of_b * pair.first;
        *out++ = scale_of_b * pair.second;
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_row_scaled<BlockIq2Kl>(rows, out);
  }
};
static_assert(sizeof(BlockIq2Kl) == 86);

}  // namespace sluice::inline SLUICE_ISA
