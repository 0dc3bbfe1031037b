#pragma once

#include <array>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/i_quants/level_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_K (ik_llama.cpp only): 256 weights in 144 bytes (4.5 bits a weight).
/// 16 sub-blocks of 16 weights. value = d * scale * level, with a scale from
/// -32 to 31, so that a sub-block can be exactly zero; bit b of `extra` chooses the shifted levels.
struct BlockIq4K {
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr Levels<16> kLevels = kIq4Levels;
  static constexpr float kShift = 4;
  static constexpr ScaleRange kScales = {.first = -32, .last = 31, .step = 1};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.8f, .highest = 1.05f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 8, .lowest = 0.7f, .highest = 1.2f, .candidates = 4};

  std::uint16_t d;              ///< fp16 scale of the super-block
  std::uint16_t extra;          ///< bit b: sub-block b has the shifted levels
  std::uint8_t scales_high[4];  ///< high 2 bits of scale + 32, four sub-blocks a byte
  std::uint8_t scales_low[8];   ///< low 4 bits, two sub-blocks a byte
  std::uint8_t codes[128];      ///< sub-block b in the nibbles b % 2 of bytes 16 * (b / 2) and on

  int scale(unsigned b) const noexcept {
    const int low = scales_low[b / 2] >> 4 * (b % 2) & 15;
    const int high = scales_high[b / 4] >> 2 * (b % 4) & 3;
    return (low | high << 4) - 32;
  }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return codes[b / 2 * 16 + j] >> 4 * (b % 2) & 15u;
  }

  void set_scale(unsigned b, int value) noexcept {
    const unsigned biased = static_cast<unsigned>(value + 32);
    put_bits<4>(scales_low[b / 2], 4 * (b % 2), biased);
    put_bits<2>(scales_high[b / 4], 2 * (b % 4), biased >> 4);
  }
  void set_code(std::size_t i, unsigned code) noexcept { set_nibble<16>(codes, i, code); }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept { pack_nibbles<16>(code, codes, 256); }

  bool finite() const noexcept { return finite_half(d); }
  bool shifted(unsigned b) const noexcept { return (extra >> b & 1) != 0; }
  void set_shifted(unsigned b, bool shifted) noexcept { put_bits<1>(extra, b, shifted ? 1 : 0); }
  void decode(float* out) const noexcept { decode_shifted_levels(*this, f16_to_f32(d), out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_levels<BlockIq4K>(rows, out);
  }
};
static_assert(sizeof(BlockIq4K) == 144);

}  // namespace sluice::inline SLUICE_ISA
