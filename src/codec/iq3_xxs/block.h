#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ3_XXS: 256 weights in 98 bytes (3.0625 bits a weight).
/// 64 groups of 4 with an 8-bit index into a codebook of magnitudes. 8 sub-blocks of 32 weights
/// have a 32-bit word each: the sign index (codec/i_quants/signs.h) of the sub-block's weights 8 * k
/// to 8 * k + 7 at bit 7 * k, and in the top 4 bits the scale l. value = d * (l + 0.5) / 2 *
/// (+-entry).
struct BlockIq3Xxs {
  std::uint16_t d;                      ///< fp16 scale of the super-block
  std::uint8_t index[64];               ///< [group]
  std::uint16_t signs_and_scale[8][2];  ///< [sub-block], low half first

  /// Fills in a block of zeros: groups 2 * octet and 2 * octet + 1. `signs`: 8 bits, of which an
  /// even number is set.
  void set_octet(std::size_t octet, const std::array<unsigned, 2>& entry, unsigned signs) noexcept {
    index[2 * octet] = static_cast<std::uint8_t>(entry[0]);
    index[2 * octet + 1] = static_cast<std::uint8_t>(entry[1]);
    add_bits(octet / 4, (signs & 127u) << 7 * (octet % 4));
  }
  void set_scale(std::size_t b, unsigned l) noexcept { add_bits(b, l << 28); }

 private:
  void add_bits(std::size_t b, std::uint32_t bits) noexcept {
    std::uint16_t* const halves = signs_and_scale[b];
    halves[0] = static_cast<std::uint16_t>(halves[0] | bits);
    halves[1] = static_cast<std::uint16_t>(halves[1] | bits >> 16);
  }
};
static_assert(sizeof(BlockIq3Xxs) == 98);

}  // namespace sluice::inline SLUICE_ISA
