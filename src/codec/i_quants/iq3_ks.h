#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/iq3_k.h"
#include "codec/i_quants/row_scale_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ3_KS (ik_llama.cpp only): 256 weights in 102 bytes (3.1875 bits a weight), and a binary16 scale d
/// for each row. 8 sub-blocks of 32 weights. value = d * scale * level, with a scale from -16 to 15;
/// the levels are IQ3_K's.
struct BlockIq3Ks {
  using RowScale = std::uint16_t;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr Levels<8> kLevels = BlockIq3K::kLevels;
  static constexpr float kShift = BlockIq3K::kShift;
  static constexpr ScaleRange kScales = {.first = -16, .last = 15, .step = 1};
  static constexpr bool kBothRoundings = true;
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.75f, .highest = 1.1f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 6, .lowest = 0.7f, .highest = 1.3f, .candidates = 3};

  std::uint8_t high_scales;    ///< bit b: the fifth bit of sub-block b's scale
  std::uint8_t shifts;         ///< bit b: sub-block b has the shifted levels
  std::uint8_t scales[4];      ///< low 4 bits of scale + 16: nibble b / 4 of byte b % 4
  std::uint8_t codes_low[64];  ///< low 2 bits of 4 weights that are 32 apart, lowest bits first
  std::uint8_t code_high[32];  ///< third bit of 8 weights that are 32 apart, lowest bit first

  int scale(unsigned b) const noexcept {
    return (scales[b % 4] >> 4 * (b / 4) & 15) + 16 * (high_scales >> b & 1) - 16;
  }
  bool shifted(unsigned b) const noexcept { return (shifts >> b & 1) != 0; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return (codes_low[b / 4 * 32 + j] >> 2 * (b % 4) & 3u) | (code_high[j] >> b & 1u) << 2;
  }

  void set_scale(unsigned b, int value) noexcept {
    const unsigned biased = static_cast<unsigned>(value + 16);
    put_bits<4>(scales[b % 4], 4 * (b / 4), biased);
    put_bits<1>(high_scales, b, biased >> 4);
  }
  void set_shifted(unsigned b, bool shifted) noexcept { put_bits<1>(shifts, b, shifted ? 1 : 0); }
  void set_code(std::size_t i, unsigned code) noexcept {
    set_two_bits(codes_low, i, code);
    put_bits<1>(code_high[i % 32], i / 32, code >> 2);
  }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept {
    pack_two_bits(code, codes_low);
    for (unsigned i = 0; i < 32; ++i) {
      unsigned high = 0;
      for (unsigned run = 0; run < 8; ++run) high |= (code[32 * run + i] >> 2u) << run;
      code_high[i] = static_cast<std::uint8_t>(high);
    }
  }

  void decode(float d, float* out) const noexcept { decode_shifted_levels(*this, d, out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_row_scaled<BlockIq3Ks>(rows, out);
  }
};
static_assert(sizeof(BlockIq3Ks) == 102);

}  // namespace sluice::inline SLUICE_ISA
