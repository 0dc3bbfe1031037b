#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/iq4_k.h"
#include "codec/i_quants/row_scale_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_KS (ik_llama.cpp only): 256 weights in 136 bytes (4.25 bits a weight), and a float scale d for
/// each row. 8 sub-blocks of 32 weights. value = d * scale * level, with an odd scale from -127 to
/// 127: there is no zero; the levels are IQ4_K's.
struct BlockIq4Ks {
  using RowScale = float;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr Levels<16> kLevels = BlockIq4K::kLevels;
  static constexpr float kShift = BlockIq4K::kShift;
  static constexpr ScaleRange kScales = {.first = -127, .last = 127, .step = 2};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.8f, .highest = 1.05f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 8, .lowest = 0.7f, .highest = 1.2f, .candidates = 2};

  std::uint8_t scales[8];   ///< scale + 127, whose lowest bit says whether the levels are shifted
  std::uint8_t codes[128];  ///< two halves of a sub-block in the nibbles of 16 bytes

  int scale(unsigned b) const noexcept { return (scales[b] & 254) - 127; }
  bool shifted(unsigned b) const noexcept { return (scales[b] & 1) != 0; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    return codes[b * 16 + j % 16] >> 4 * (j / 16) & 15u;
  }

  void set_scale(unsigned b, int value) noexcept {
    scales[b] = static_cast<std::uint8_t>((scales[b] & 1) | (value + 127));
  }
  void set_shifted(unsigned b, bool shifted) noexcept {
    put_bits<1>(scales[b], 0, shifted ? 1 : 0);
  }
  void set_code(std::size_t i, unsigned code) noexcept { set_nibble<16>(codes, i, code); }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept { pack_nibbles<16>(code, codes, 256); }

  void decode(float d, float* out) const noexcept { decode_shifted_levels(*this, d, out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_row_scaled<BlockIq4Ks>(rows, out);
  }
};
static_assert(sizeof(BlockIq4Ks) == 136);

}  // namespace sluice::inline SLUICE_ISA
