#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/half.h"
#include "codec/i_quants/codebooks.h"
#include "codec/i_quants/signs.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_XXS: 256 weights in 66 bytes (2.0625 bits a weight).
/// 8 sub-blocks of 32 weights, 4 groups of 8 each. A group is an 8-bit index into a codebook of
/// magnitudes and a 7-bit sign index (signs.h). A sub-block's second word holds the sign index of
/// group g at bit 7 * g, and in its top 4 bits the scale l. value = d * (l + 0.5) / 4 * (+-entry).
struct BlockIq2Xxs {
  static constexpr std::size_t kWeights = 256;
  static constexpr const auto& kGrid = packed_grids::kIq2xxsGrid;
  static constexpr const auto& kMagnitudes = kIq2Magnitudes;
  static constexpr std::size_t kWidth = 8;
  static constexpr bool kEvenSigns = true;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr float kUnit = 0.125f;

  struct SubBlock {
    std::uint8_t index[4];             ///< [group]
    std::uint16_t signs_and_scale[2];  ///< a 32-bit word, low half first: blocks are 2-byte aligned

    std::uint32_t word() const noexcept {
      return signs_and_scale[0] | std::uint32_t{signs_and_scale[1]} << 16;
    }
    void set_bits(std::uint32_t mask, std::uint32_t bits) noexcept {
      const std::uint32_t changed = (word() & ~mask) | bits;
      signs_and_scale[0] = static_cast<std::uint16_t>(changed);
      signs_and_scale[1] = static_cast<std::uint16_t>(changed >> 16);
    }
  };
  std::uint16_t d;  ///< fp16 scale of the super-block
  SubBlock sub_block[8];

  /// `signs`: 8 bits, of which an even number is set.
  void set_octet(std::size_t group, const std::array<unsigned, 1>& entry, unsigned signs) noexcept {
    sub_block[group / 4].index[group % 4] = static_cast<std::uint8_t>(entry[0]);
    const unsigned at = 7 * (group % 4);
    sub_block[group / 4].set_bits(127u << at, (signs & 127u) << at);
  }
  unsigned scale(std::size_t b) const noexcept { return sub_block[b].word() >> 28; }
  void set_scale(std::size_t b, unsigned l) noexcept { sub_block[b].set_bits(15u << 28, l << 28); }

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* y) const noexcept {
    const float super_scale = f16_to_f32(d);
    for (const SubBlock& sub : sub_block) {
      const std::uint32_t word = sub.word();
      const float scale = super_scale * (0.5f + static_cast<float>(word >> 28)) * 0.25f;
      for (unsigned group = 0; group < 4; ++group, y += 8) {
        decode_signed(kIq2xxsCodebook[sub.index[group]], expand_signs(word >> 7 * group & 127),
                      scale, y);
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq2Xxs) == 66);

}  // namespace sluice::inline SLUICE_ISA
