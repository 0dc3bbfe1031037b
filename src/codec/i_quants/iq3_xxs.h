#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/half.h"
#include "codec/i_quants/codebooks.h"
#include "codec/i_quants/signs.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ3_XXS: 256 weights in 98 bytes (3.0625 bits a weight).
/// 64 groups of 4 with an 8-bit index into a codebook of magnitudes. 8 sub-blocks of 32 weights
/// have a 32-bit word each: the sign index (signs.h) of the sub-block's weights 8 * k
/// to 8 * k + 7 at bit 7 * k, and in the top 4 bits the scale l. value = d * (l + 0.5) / 2 *
/// (+-entry).
struct BlockIq3Xxs {
  static constexpr std::size_t kWeights = 256;
  static constexpr const auto& kGrid = packed_grids::kIq3xxsGrid;
  static constexpr const auto& kMagnitudes = kIq3xxsMagnitudes;
  static constexpr std::size_t kWidth = 4;
  static constexpr bool kEvenSigns = true;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr float kUnit = 0.25f;
  static constexpr std::array<float, 7> kBestScales = {0.765f, 0.835f, 0.925f, 1.025f,
                                                       1.14f,  1.235f, 1.465f};
  static constexpr std::array<float, 4> kFastScales = {0.84f, 0.96f, 1.1f, 1.32f};

  std::uint16_t d;                      ///< fp16 scale of the super-block
  std::uint8_t index[64];               ///< [group]
  std::uint16_t signs_and_scale[8][2];  ///< [sub-block], low half first

  /// Groups 2 * octet and 2 * octet + 1. `signs`: 8 bits, of which an
  /// even number is set.
  void set_octet(std::size_t octet, const std::array<unsigned, 2>& entry, unsigned signs) noexcept {
    index[2 * octet] = static_cast<std::uint8_t>(entry[0]);
    index[2 * octet + 1] = static_cast<std::uint8_t>(entry[1]);
    const unsigned at = 7 * (octet % 4);
    set_bits(octet / 4, 127u << at, (signs & 127u) << at);
  }
  unsigned scale(std::size_t b) const noexcept { return word(b) >> 28; }
  void set_scale(std::size_t b, unsigned l) noexcept { set_bits(b, 15u << 28, l << 28); }

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* y) const noexcept {
    const float super_scale = f16_to_f32(d);
    for (unsigned group = 0; group < 64; ++group, y += 4) {
      const std::uint32_t bits = word(group / 8);
      const float scale = super_scale * (0.5f + static_cast<float>(bits >> 28)) * 0.5f;
      const unsigned signs = expand_signs(bits >> 7 * (group / 2 % 4) & 127);
      decode_signed(kIq3xxsCodebook[index[group]], signs >> 4 * (group % 2), scale, y);
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;

 private:
  std::uint32_t word(std::size_t b) const noexcept {
    return signs_and_scale[b][0] | std::uint32_t{signs_and_scale[b][1]} << 16;
  }
  void set_bits(std::size_t b, std::uint32_t mask, std::uint32_t bits) noexcept {
    const std::uint32_t changed = (word(b) & ~mask) | bits;
    signs_and_scale[b][0] = static_cast<std::uint16_t>(changed);
    signs_and_scale[b][1] = static_cast<std::uint16_t>(changed >> 16);
  }
};
static_assert(sizeof(BlockIq3Xxs) == 98);

}  // namespace sluice::inline SLUICE_ISA
