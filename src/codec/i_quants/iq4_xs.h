#pragma once

#include <array>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/i_quants/level_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_XS: 256 weights in 136 bytes (4.25 bits a weight).
/// 8 sub-blocks of 32 weights, coded as in IQ4_NL, with 6-bit scales: low 4 bits in `scales_low`,
/// high 2 bits at bit 2 * b of `scales_high`. value = d * (scale - 32) * kIq4Levels[code].
struct BlockIq4Xs {
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr Levels<16> kLevels = kIq4Levels;
  static constexpr float kShift = 0;
  static constexpr ScaleRange kScales = {.first = -32, .last = 31, .step = 1};
  static constexpr LevelSearch kFast = {
      .trials = 5, .lowest = 0.7f, .highest = 1.2f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 12, .lowest = 0.7f, .highest = 1.2f, .candidates = 2};

  std::uint16_t d;  ///< fp16 scale of the super-block
  std::uint16_t scales_high;
  std::uint8_t scales_low[4];  ///< two sub-blocks a byte, low nibble first
  std::uint8_t codes[8][16];   ///< [sub-block]

  int scale(unsigned b) const noexcept {
    const int low = scales_low[b / 2] >> 4 * (b % 2) & 15;
    const int high = scales_high >> 2 * b & 3;
    return (low | high << 4) - 32;
  }

  void set_scale(unsigned b, int value) noexcept {
    const unsigned biased = static_cast<unsigned>(value + 32);
    put_bits<4>(scales_low[b / 2], 4 * (b % 2), biased);
    put_bits<2>(scales_high, 2 * b, biased >> 4);
  }
  void set_code(std::size_t i, unsigned code) noexcept { set_nibble<16>(codes[0], i, code); }
  /// Sets all codes: the first halves of all sub-blocks come before the second ones.
  void set_codes(const std::uint8_t (&code)[256]) noexcept {
    for (unsigned b = 0; b < 8; ++b) {
      for (unsigned j = 0; j < 16; ++j) {
        const std::uint8_t* c = &code[16 * b + j];
        codes[b][j] = static_cast<std::uint8_t>(c[0] | c[128] << 4);
      }
    }
  }

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* out) const noexcept {
    const float d_value = f16_to_f32(d);
    for (unsigned b = 0; b < 8; ++b, out += 32) {
      const float scale_of_b = d_value * static_cast<float>(scale(b));
      for (unsigned j = 0; j < 16; ++j) {
        out[j] = scale_of_b * kIq4Levels[codes[b][j] & 15u];
        out[j + 16] = scale_of_b * kIq4Levels[codes[b][j] >> 4];
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_levels<BlockIq4Xs>(rows, out);
  }
};
static_assert(sizeof(BlockIq4Xs) == 136);

}  // namespace sluice::inline SLUICE_ISA
