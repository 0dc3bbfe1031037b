#pragma once

#include <array>
#include <cstdint>

#include "codec/half.h"
#include "codec/i_quants/iq1_encoder.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_M: 256 weights in 56 bytes, 1.75 bits a weight.
///
/// A super-block has 16 sub-blocks of 16 weights with one 3-bit scale each; a sub-block has 2
/// groups of 8 weights, each coded as one of the 2048 vectors of kIq1sCodebook and the sign of a
/// shift:
///
///     value = d * (2 * scale + 1) * (codebook[index][j] + shift),  shift = +1/8 or -1/8
///
/// The shift gives a group five magnitudes at the cost of one bit where three levels have two, and
/// is why no sub-block of a super-block with d != 0 can be zero: its smallest value is d / 8.
///
/// There is no room for d: it is spread over the spare top nibbles of the scale words. So a block
/// can be sought and decoded alone, but nothing less than a block.
struct BlockIq1M {
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kGroups = 32;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr unsigned kMaxScale = 7;

  std::uint8_t index_low[kGroups];         ///< low 8 bits of each group's codebook index
  std::uint8_t index_high[kGroups / 2];    ///< a nibble a group, even groups low: 3 bits of the
                                           ///< index, then the shift's sign (1: negative)
  std::uint8_t scales[kSubBlocks / 4][2];  ///< little-endian words: 4 scales of 3 bits, then a
                                           ///< nibble of d; the first word has its lowest nibble

  unsigned index(std::size_t group) const noexcept {
    return index_low[group] | (nibble(group) & 7u) << 8;
  }
  bool negative_shift(std::size_t group) const noexcept { return (nibble(group) & 8u) != 0; }
  unsigned scale(std::size_t sub_block) const noexcept {
    return scale_word(sub_block / 4) >> (3 * (sub_block % 4)) & kMaxScale;
  }
  /// The super-block scale, an fp16.
  std::uint16_t d() const noexcept {
    return static_cast<std::uint16_t>(scale_word(0) >> 12 | scale_word(1) >> 12 << 4 |
                                      scale_word(2) >> 12 << 8 | scale_word(3) >> 12 << 12);
  }
  bool finite() const noexcept { return finite_half(d()); }

  void set_d(std::uint16_t half) noexcept {
    for (std::size_t word = 0; word < kSubBlocks / 4; ++word) {
      set_scale_word(word, (scale_word(word) & 0xfffu) | (half >> (4 * word) & 15u) << 12);
    }
  }
  void set_scale(std::size_t sub_block, unsigned scale) noexcept {
    const unsigned at = 3 * (sub_block % 4);
    set_scale_word(sub_block / 4, (scale_word(sub_block / 4) & ~(kMaxScale << at)) | scale << at);
  }
  /// \param entry  the codebook index, and the shift's sign above its 11 bits
  void set_entry(std::size_t group, unsigned entry) noexcept {
    const unsigned at = 4 * (group % 2);
    index_low[group] = static_cast<std::uint8_t>(entry);
    index_high[group / 2] =
        static_cast<std::uint8_t>((index_high[group / 2] & ~(15u << at)) | entry >> 8 << at);
  }

  void decode(float* out) const noexcept {
    const float d_value = f16_to_f32(d());
    for (std::size_t group = 0; group < kGroups; ++group) {
      const float scale_of_group = d_value * static_cast<float>(2 * scale(group / 2) + 1);
      const float shift = negative_shift(group) ? -kIq1Delta : kIq1Delta;
      for (const std::int8_t code : kIq1sCodebook[index(group)]) {
        *out++ = scale_of_group * (static_cast<float>(code) + shift);
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;

 private:
  unsigned nibble(std::size_t group) const noexcept {
    return unsigned{index_high[group / 2]} >> (4 * (group % 2));
  }
  unsigned scale_word(std::size_t word) const noexcept {
    return unsigned{scales[word][0]} | unsigned{scales[word][1]} << 8;
  }
  void set_scale_word(std::size_t word, unsigned bits) noexcept {
    scales[word][0] = static_cast<std::uint8_t>(bits);
    scales[word][1] = static_cast<std::uint8_t>(bits >> 8);
  }
};
static_assert(sizeof(BlockIq1M) == 56);
static_assert(alignof(BlockIq1M) == 1, "blocks lie anywhere in a file");

/// How IQ1_M is searched (iq1_encoder.h).
struct Iq1M {
  using Block = BlockIq1M;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr bool kSharedShift = false;
  static constexpr iq1::Multiples kMultiples = iq1::kOddMultiples;

  /// What an effort pays for: the scales searched first, as multiples of the sub-block's
  /// sum w x^2 / sum w |x|, and how many vectors a search looks at. 98 % of best scales are between
  /// 0.80 and 1.65 times that, and each search serves its neighbourhood.
  struct Best {
    static constexpr std::array<float, 4> kFirstScales = {0.85f, 1.0f, 1.2f, 1.45f};
    static constexpr std::size_t kSets = iq1::kAllSets;
    static constexpr int kRefits = 2;
  };
  struct Fast {
    static constexpr std::array<float, 2> kFirstScales = {0.95f, 1.3f};
    static constexpr std::size_t kSets = iq1::kFewSets;
    static constexpr int kRefits = 1;
  };

  static Block block(const iq1::Solution& solution, std::uint16_t d) noexcept {
    constexpr std::size_t kSubBlocks = Block::kSubBlocks;
    Block out;
    for (std::size_t b = 0; b < kSubBlocks; ++b) {
      const unsigned even = iq1::entry_of(solution, 2 * b);
      const unsigned odd = iq1::entry_of(solution, 2 * b + 1);
      out.index_low[2 * b] = static_cast<std::uint8_t>(even);
      out.index_low[2 * b + 1] = static_cast<std::uint8_t>(odd);
      out.index_high[b] = static_cast<std::uint8_t>(even >> 8 | odd >> 8 << 4);
    }
    for (std::size_t word = 0; word < kSubBlocks / 4; ++word) {
      unsigned bits = (d >> (4 * word) & 15u) << 12;
      for (std::size_t b = 0; b < 4; ++b) {
        bits |= static_cast<unsigned>(static_cast<int>(solution.multiple[4 * word + b])) / 2
                << (3 * b);
      }
      out.scales[word][0] = static_cast<std::uint8_t>(bits);
      out.scales[word][1] = static_cast<std::uint8_t>(bits >> 8);
    }
    return out;
  }
};

}  // namespace sluice::inline SLUICE_ISA
