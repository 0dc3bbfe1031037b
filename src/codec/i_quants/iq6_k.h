#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/i_quants/cubic_levels.h"
#include "codec/i_quants/level_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ6_K (ik_llama.cpp only): 256 weights in 212 bytes (6.625 bits a weight).
/// 16 sub-blocks of 16 weights. value = d * scale * level; bit b of `extra` chooses the levels moved
/// up by kShift.
struct BlockIq6K {
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  using Calculated = CubicLevels;
  static constexpr Levels<64> kLevels = CubicLevels::all();
  static constexpr float kShift = 1;
  static constexpr ScaleRange kScales = {.first = -128, .last = 127, .step = 1};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.95f, .highest = 1.02f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 8, .lowest = 0.9f, .highest = 1.06f, .candidates = 4};

  std::uint16_t d;              ///< fp16 scale of the super-block
  std::uint16_t extra;          ///< bit b: sub-block b has the shifted levels
  std::int8_t scales[16];       ///< [sub-block]
  std::uint8_t codes_low[128];  ///< low 4 bits of 2 weights that are 32 apart
  std::uint8_t codes_high[64];  ///< high 2 bits of 4 weights that are 32 apart

  int scale(unsigned b) const noexcept { return scales[b]; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return (codes_low[b / 4 * 32 + b % 2 * 16 + j] >> 4 * (b / 2 % 2) & 15u) |
           (codes_high[b / 8 * 32 + b % 2 * 16 + j] >> 2 * (b / 2 % 4) & 3u) << 4;
  }

  void set_scale(unsigned b, int value) noexcept { scales[b] = static_cast<std::int8_t>(value); }
  void set_code(std::size_t i, unsigned code) noexcept {
    set_nibble<32>(codes_low, i, code);
    set_two_bits(codes_high, i, code >> 4);
  }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept {
    pack_nibbles<32>(code, codes_low, 256);
    std::uint8_t high[256];
    for (unsigned i = 0; i < 256; ++i) high[i] = static_cast<std::uint8_t>(code[i] >> 4);
    pack_two_bits(high, codes_high);
  }

  bool finite() const noexcept { return finite_half(d); }
  bool shifted(unsigned b) const noexcept { return (extra >> b & 1) != 0; }
  void set_shifted(unsigned b, bool shifted) noexcept { put_bits<1>(extra, b, shifted ? 1 : 0); }
  void decode(float* out) const noexcept { decode_shifted_levels(*this, f16_to_f32(d), out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_levels<BlockIq6K>(rows, out);
  }
};
static_assert(sizeof(BlockIq6K) == 212);

}  // namespace sluice::inline SLUICE_ISA
