#pragma once

#include <array>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/i_quants/level_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_K (ik_llama.cpp only): 256 weights in 76 bytes (2.375 bits a weight).
/// 16 sub-blocks of 16 weights. value = d * scale * level, with a scale from
/// -8 to 7, so that a sub-block can be exactly zero; bit b of `extra` chooses the shifted levels.
struct BlockIq2K {
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr Levels<4> kLevels = {-31, -13, 1, 17};
  static constexpr float kShift = 5;
  static constexpr ScaleRange kScales = {.first = -8, .last = 7, .step = 1};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.5f, .highest = 1.6f, .candidates = 2};
  static constexpr LevelSearch kBest = {
      .trials = 6, .lowest = 0.5f, .highest = 1.6f, .candidates = 4};

  std::uint16_t d;         ///< fp16 scale of the super-block
  std::uint16_t extra;     ///< bit b: sub-block b has the shifted levels
  std::uint8_t scales[8];  ///< scale + 8, two sub-blocks a byte, low nibble first
  std::uint8_t codes[64];  ///< 2-bit codes of 4 weights that are 32 apart, lowest bits first

  int scale(unsigned b) const noexcept { return (scales[b / 2] >> 4 * (b % 2) & 15) - 8; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return codes[b / 8 * 32 + b % 2 * 16 + j] >> 2 * (b / 2 % 4) & 3u;
  }

  void set_scale(unsigned b, int value) noexcept {
    put_bits<4>(scales[b / 2], 4 * (b % 2), static_cast<unsigned>(value + 8));
  }
  void set_code(std::size_t i, unsigned code) noexcept { set_two_bits(codes, i, code); }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept { pack_two_bits(code, codes); }

  bool finite() const noexcept { return finite_half(d); }
  bool shifted(unsigned b) const noexcept { return (extra >> b & 1) != 0; }
  void set_shifted(unsigned b, bool shifted) noexcept { put_bits<1>(extra, b, shifted ? 1 : 0); }
  void decode(float* out) const noexcept { decode_shifted_levels(*this, f16_to_f32(d), out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_levels<BlockIq2K>(rows, out);
  }
};
static_assert(sizeof(BlockIq2K) == 76);

}  // namespace sluice::inline SLUICE_ISA
