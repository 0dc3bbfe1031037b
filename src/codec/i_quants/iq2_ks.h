#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/iq2_k.h"
#include "codec/i_quants/row_scale_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_KS (ik_llama.cpp only): 256 weights in 70 bytes (2.1875 bits a weight), and a binary16 scale
/// d for each row. 8 sub-blocks of 32 weights. value = d * scale * level, with a scale from -16 to
/// 15, so that a sub-block can be exactly zero.
struct BlockIq2Ks {
  using RowScale = std::uint16_t;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr Levels<4> kLevels = BlockIq2K::kLevels;
  static constexpr float kShift = BlockIq2K::kShift;
  static constexpr ScaleRange kScales = {.first = -16, .last = 15, .step = 1};
  static constexpr bool kBothRoundings = true;
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.5f, .highest = 1.6f, .candidates = 2};
  static constexpr LevelSearch kBest = {
      .trials = 6, .lowest = 0.5f, .highest = 1.6f, .candidates = 4};

  std::uint8_t shifts;       ///< bit b: sub-block b has the shifted levels
  std::uint8_t high_scales;  ///< bit b: the fifth bit of sub-block b's scale
  std::uint8_t scales[4];    ///< low bits of scale + 16, two sub-blocks a byte, low nibble first
  std::uint8_t codes[64];    ///< 2-bit codes of 4 weights that are 32 apart, lowest bits first

  int scale(unsigned b) const noexcept {
    return (scales[b / 2] >> 4 * (b % 2) & 15) + 16 * (high_scales >> b & 1) - 16;
  }
  bool shifted(unsigned b) const noexcept { return (shifts >> b & 1) != 0; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return codes[b / 4 * 32 + j] >> 2 * (b % 4) & 3u;
  }

  void set_scale(unsigned b, int value) noexcept {
    const unsigned biased = static_cast<unsigned>(value + 16);
    put_bits<4>(scales[b / 2], 4 * (b % 2), biased);
    put_bits<1>(high_scales, b, biased >> 4);
  }
  void set_shifted(unsigned b, bool shifted) noexcept { put_bits<1>(shifts, b, shifted ? 1 : 0); }
  void set_code(std::size_t i, unsigned code) noexcept { set_two_bits(codes, i, code); }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept { pack_two_bits(code, codes); }

  void decode(float d, float* out) const noexcept { decode_shifted_levels(*this, d, out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_row_scaled<BlockIq2Ks>(rows, out);
  }
};
static_assert(sizeof(BlockIq2Ks) == 70);

}  // namespace sluice::inline SLUICE_ISA
