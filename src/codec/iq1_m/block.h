#pragma once

#include <cstddef>
#include <cstdint>

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
  static constexpr std::size_t kElements = 256;
  static constexpr std::size_t kGroups = 32;
  static constexpr std::size_t kGroupElements = 8;
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

 private:
  unsigned nibble(std::size_t group) const noexcept {
    return unsigned{index_high[group / 2]} >> (4 * (group % 2));
  }
  unsigned scale_word(std::size_t word) const noexcept {
    return unsigned{scales[word][0]} | unsigned{scales[word][1]} << 8;
  }
};
static_assert(sizeof(BlockIq1M) == 56);
static_assert(alignof(BlockIq1M) == 1, "blocks lie anywhere in a file");

}  // namespace sluice::inline SLUICE_ISA
