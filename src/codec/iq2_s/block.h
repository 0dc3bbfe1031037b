#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ2_S: 256 weights in 82 bytes (2.5625 bits a weight).
/// 32 groups of 8: a 10-bit index into a codebook of magnitudes (low 8 bits in `low`, high 2 bits
/// at bit 2 * (g % 4) of `high[g / 4]`) and 8 sign bits. 16 sub-blocks of 16 weights with 4-bit
/// scales. value = d * (l + 0.5) / 4 * (+-entry).
struct BlockIq2S {
  std::uint16_t d;         ///< fp16 scale of the super-block
  std::uint8_t low[32];    ///< [group]
  std::uint8_t signs[32];  ///< [group], bit j: value j is negative
  std::uint8_t high[8];
  std::uint8_t scales[8];  ///< two sub-blocks a byte, low nibble first

  /// Fills in a block of zeros.
  void set_octet(std::size_t group, const std::array<unsigned, 1>& entry,
                 unsigned sign_bits) noexcept {
    low[group] = static_cast<std::uint8_t>(entry[0]);
    high[group / 4] = static_cast<std::uint8_t>(high[group / 4] | entry[0] >> 8 << 2 * (group % 4));
    signs[group] = static_cast<std::uint8_t>(sign_bits);
  }
  void set_scale(std::size_t b, unsigned l) noexcept {
    scales[b / 2] = static_cast<std::uint8_t>(scales[b / 2] | l << 4 * (b % 2));
  }
};
static_assert(sizeof(BlockIq2S) == 82);

}  // namespace sluice::inline SLUICE_ISA
