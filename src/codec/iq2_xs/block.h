#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ2_XS: 256 weights in 74 bytes (2.3125 bits a weight).
/// 32 groups of 8: a 9-bit index into a codebook of magnitudes and, in the upper 7 bits of the same
/// word, a sign index (codec/i_quants/signs.h). 16 sub-blocks of 16 weights with 4-bit scales l.
/// value = d * (l + 0.5) / 4 * (+-entry).
struct BlockIq2Xs {
  std::uint16_t d;         ///< fp16 scale of the super-block
  std::uint16_t code[32];  ///< [group]
  std::uint8_t scales[8];  ///< two sub-blocks a byte, low nibble first

  /// Fills in a block of zeros. `signs`: 8 bits, of which an even number is set.
  void set_octet(std::size_t group, const std::array<unsigned, 1>& entry, unsigned signs) noexcept {
    code[group] = static_cast<std::uint16_t>(entry[0] | (signs & 127) << 9);
  }
  void set_scale(std::size_t b, unsigned l) noexcept {
    scales[b / 2] = static_cast<std::uint8_t>(scales[b / 2] | l << 4 * (b % 2));
  }
};
static_assert(sizeof(BlockIq2Xs) == 74);

}  // namespace sluice::inline SLUICE_ISA
