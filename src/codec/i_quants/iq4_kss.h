#pragma once

#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/iq4_k.h"
#include "codec/i_quants/parity_levels.h"
#include "codec/i_quants/row_scale_encoder.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_KSS (ik_llama.cpp only): 256 weights in 128 bytes (4 bits a weight), and a float scale d for
/// each row. 8 sub-blocks of 32 weights. value = d * scale * level, scales and levels as of IQ4_KS.
/// Four codes are 16 bits of even parity, which leaves one bit of each word for the sub-block's scale.
struct BlockIq4Kss {
  using RowScale = float;
  using Codebook = ParityLevels;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr Levels<16> kLevels = BlockIq4K::kLevels;
  static constexpr float kShift = BlockIq4K::kShift;
  static constexpr ScaleRange kScales = {.first = -127, .last = 127, .step = 2};
  static constexpr LevelSearch kFast = {
      .trials = 3, .lowest = 0.8f, .highest = 1.05f, .candidates = 1};
  static constexpr LevelSearch kBest = {
      .trials = 8, .lowest = 0.7f, .highest = 1.2f, .candidates = 2};

  /// Word k of sub-block b. Bit 0 is bit k of scale + 127, whose lowest bit says whether the levels
  /// are shifted. The others, v with 0 for bit 0, give v ^ v >> 1: codes 2k, 16 + 2k, 2k + 1 and
  /// 17 + 2k.
  std::uint16_t words[8][8];

  int scale(unsigned b) const noexcept { return static_cast<int>(header(b) & 254u) - 127; }
  bool shifted(unsigned b) const noexcept { return (header(b) & 1u) != 0; }
  unsigned code(unsigned b, unsigned j) const noexcept {
    const unsigned v = words[b][j % 16 / 2] & 0xfffeu;
    return (v ^ v >> 1) >> (j % 2 * 8 + j / 16 * 4) & 15u;
  }

  void set_scale(unsigned b, int value) noexcept {
    set_header(b, static_cast<unsigned>(value + 127) | (header(b) & 1u));
  }
  void set_shifted(unsigned b, bool shifted) noexcept {
    set_header(b, (header(b) & 254u) | (shifted ? 1u : 0u));
  }
  /// Sets the four codes of a word, of even parity, the first lowest.
  void set_word(std::size_t word, unsigned codes) noexcept {
    unsigned v = codes;
    for (const int shift : {1, 2, 4, 8}) v ^= v >> shift;
    std::uint16_t& place = words[word / 8][word % 8];
    place = static_cast<std::uint16_t>((v & 0xfffeu) | (place & 1u));
  }
  /// Sets all codes, given in the order of the weights.
  void set_codes(const std::uint8_t (&code)[256]) noexcept {
    for (std::size_t word = 0; word < 64; ++word) {
      const std::uint8_t* c = code + word / 8 * 32 + word % 8 * 2;
      set_word(word, c[0] | static_cast<unsigned>(c[16]) << 4 | static_cast<unsigned>(c[1]) << 8 |
                         static_cast<unsigned>(c[17]) << 12);
    }
  }

  void decode(float d, float* out) const noexcept { decode_shifted_levels(*this, d, out); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_row_scaled<BlockIq4Kss>(rows, out);
  }

 private:
  unsigned header(unsigned b) const noexcept {
    unsigned bits = 0;
    for (unsigned k = 0; k < 8; ++k) bits |= (words[b][k] & 1u) << k;
    return bits;
  }
  void set_header(unsigned b, unsigned bits) noexcept {
    for (unsigned k = 0; k < 8; ++k) put_bits<1>(words[b][k], 0, bits >> k);
  }
};
static_assert(sizeof(BlockIq4Kss) == 128);

}  // namespace sluice::inline SLUICE_ISA
