#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/iq5_k.h"
#include "codec/i_quants/row_scale_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ5_KS (ik_llama.cpp only): 256 weights in 168 bytes (5.25 bits a weight), and a float scale d for
/// each row. 8 sub-blocks of 32 weights. value = d * scale * level, with an odd scale from -127 to
/// 127: there is no zero; the levels are IQ5_K's.
struct BlockIq5Ks {
  using RowScale = float;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr Levels<32> kLevels = BlockIq5K::kLevels;
  static constexpr float kShift = BlockIq5K::kShift;
  static constexpr ScaleRange kScales = {.first = -127, .last = 127, .step = 2};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.9f, .highest = 1.03f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 8, .lowest = 0.8f, .highest = 1.1f, .candidates = 2};

  std::uint8_t scales[8];  ///< scale + 127, whose lowest bit says whether the levels are shifted
  std::uint8_t codes_low[128];  ///< low 4 bits of 2 weights that are 32 apart
  std::uint8_t code_high[32];   ///< fifth bit of 8 weights that are 32 apart, lowest bit first

  int scale(unsigned b) const noexcept { return (scales[b] & 254) - 127; }
  bool shifted(unsigned b) const noexcept { return (scales[b] & 1) != 0; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return (codes_low[b / 2 * 32 + j] >> 4 * (b % 2) & 15u) | (code_high[j] >> b & 1u) << 4;
  }

  void set_scale(unsigned b, int value) noexcept {
    scales[b] = static_cast<std::uint8_t>((scales[b] & 1) | (value + 127));
  }
  void set_shifted(unsigned b, bool shifted) noexcept {
    put_bits<1>(scales[b], 0, shifted ? 1 : 0);
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

  void decode(float d, float* out) const noexcept { decode_shifted_levels(*this, d, out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_row_scaled<BlockIq5Ks>(rows, out);
  }
};
static_assert(sizeof(BlockIq5Ks) == 168);

}  // namespace sluice::inline SLUICE_ISA
