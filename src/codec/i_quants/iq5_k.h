#pragma once

#include <array>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/i_quants/level_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ5_K (ik_llama.cpp only): 256 weights in 176 bytes (5.5 bits a weight).
/// 16 sub-blocks of 16 weights. value = d * scale * level, with a scale from
/// -32 to 31; bit b of `extra` chooses the shifted levels.
struct BlockIq5K {
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr Levels<32> kLevels = {-126, -114, -103, -92, -83, -74, -65, -57, -50, -43, -36,
                                         -30,  -24,  -18,  -12, -6,  -1,  5,   11,  17,  23,  29,
                                         36,   43,   51,   59,  68,  77,  87,  97,  109, 121};
  static constexpr float kShift = 2;
  static constexpr ScaleRange kScales = {.first = -32, .last = 31, .step = 1};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.9f, .highest = 1.03f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 8, .lowest = 0.8f, .highest = 1.1f, .candidates = 4};

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

  void set_scale(unsigned b, int value) noexcept {
    const unsigned biased = static_cast<unsigned>(value + 32);
    put_bits<4>(scales_low[b / 2], 4 * (b % 2), biased);
    put_bits<2>(scales_high[b / 4], 2 * (b % 4), biased >> 4);
  }
  void set_code(std::size_t i, unsigned code) noexcept {
    set_nibble<32>(codes_low, i, code);
    put_bits<1>(code_high[i % 32], i / 32, code >> 4);
  }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept {
    pack_nibbles<32>(code, codes_low, 256);
    for (unsigned i = 0; i < 32; ++i) {
      unsigned high = 0;
      for (unsigned run = 0; run < 8; ++run) high |= (code[32 * run + i] >> 4u) << run;
      code_high[i] = static_cast<std::uint8_t>(high);
    }
  }

  bool finite() const noexcept { return finite_half(d); }
  bool shifted(unsigned b) const noexcept { return (extra >> b & 1) != 0; }
  void set_shifted(unsigned b, bool shifted) noexcept { put_bits<1>(extra, b, shifted ? 1 : 0); }
  void decode(float* out) const noexcept { decode_shifted_levels(*this, f16_to_f32(d), out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_levels<BlockIq5K>(rows, out);
  }
};
static_assert(sizeof(BlockIq5K) == 176);

}  // namespace sluice::inline SLUICE_ISA
