#pragma once

#include <array>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/i_quants/level_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ3_K (ik_llama.cpp only): 256 weights in 110 bytes (3.4375 bits a weight).
/// 16 sub-blocks of 16 weights. value = d * scale * level, with an odd scale
/// from -31 to 31: there is no zero, and a sub-block of zeros beside others that are not decodes to
/// the smallest value, d; bit b of `extra` chooses the shifted levels.
struct BlockIq3K {
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr Levels<8> kLevels = {-63, -40, -23, -10, 1, 13, 28, 47};
  static constexpr float kShift = 4;
  static constexpr ScaleRange kScales = {.first = -31, .last = 31, .step = 2};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.75f, .highest = 1.1f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 6, .lowest = 0.7f, .highest = 1.3f, .candidates = 3};

  std::uint16_t d;             ///< fp16 scale of the super-block
  std::uint16_t extra;         ///< bit b: sub-block b has the shifted levels
  std::uint16_t scale_signs;   ///< bit b: the scale is negative
  std::uint8_t scales[8];      ///< (|scale| - 1) / 2, two sub-blocks a byte, low nibble first
  std::uint8_t codes_low[64];  ///< low 2 bits of 4 weights that are 32 apart, lowest bits first
  std::uint8_t code_high[32];  ///< third bit of 8 weights that are 32 apart, lowest bit first

  int scale(unsigned b) const noexcept {
    const int magnitude = 2 * (scales[b / 2] >> 4 * (b % 2) & 15) + 1;
    return scale_signs >> b & 1 ? -magnitude : magnitude;
  }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return (codes_low[b / 8 * 32 + b % 2 * 16 + j] >> 2 * (b / 2 % 4) & 3u) |
           (code_high[b % 2 * 16 + j] >> b / 2 & 1u) << 2;
  }

  void set_scale(unsigned b, int value) noexcept {
    put_bits<1>(scale_signs, b, value < 0 ? 1 : 0);
    put_bits<4>(scales[b / 2], 4 * (b % 2), static_cast<unsigned>(value < 0 ? -value : value) / 2);
  }
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

  bool finite() const noexcept { return finite_half(d); }
  bool shifted(unsigned b) const noexcept { return (extra >> b & 1) != 0; }
  void set_shifted(unsigned b, bool shifted) noexcept { put_bits<1>(extra, b, shifted ? 1 : 0); }
  void decode(float* out) const noexcept { decode_shifted_levels(*this, f16_to_f32(d), out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_levels<BlockIq3K>(rows, out);
  }
};
static_assert(sizeof(BlockIq3K) == 110);

}  // namespace sluice::inline SLUICE_ISA
