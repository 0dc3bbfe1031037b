#pragma once

#include <array>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ4_XS: 256 weights in 136 bytes (4.25 bits a weight).
/// 8 sub-blocks of 32 weights, coded as in IQ4_NL, with 6-bit scales: low 4 bits in `scales_low`,
/// high 2 bits at bit 2 * b of `scales_high`. value = d * (scale - 32) * kIq4Levels[code].
struct BlockIq4Xs {
  std::uint16_t d;  ///< fp16 scale of the super-block
  std::uint16_t scales_high;
  std::uint8_t scales_low[4];  ///< two sub-blocks a byte, low nibble first
  std::uint8_t codes[8][16];   ///< [sub-block]

  int scale(unsigned b) const noexcept {
    const int low = scales_low[b / 2] >> 4 * (b % 2) & 15;
    const int high = scales_high >> 2 * b & 3;
    return (low | high << 4) - 32;
  }

  /// Wants the block zeroed before, and each sub-block set once.
  void set_scale(unsigned b, int value) noexcept {
    const unsigned biased = static_cast<unsigned>(value + 32);
    scales_low[b / 2] |= static_cast<std::uint8_t>((biased & 15u) << 4 * (b % 2));
    scales_high |= static_cast<std::uint16_t>(biased >> 4 << 2 * b);
  }
  /// Sets all codes: the first halves of all sub-blocks come before the second ones.
  void set_codes(const std::array<std::uint8_t, 256>& code) noexcept {
    for (unsigned b = 0; b < 8; ++b) {
      for (unsigned j = 0; j < 16; ++j) {
        const std::uint8_t* c = &code[16 * b + j];
        codes[b][j] = static_cast<std::uint8_t>(c[0] | c[128] << 4);
      }
    }
  }
};
static_assert(sizeof(BlockIq4Xs) == 136);

}  // namespace sluice::inline SLUICE_ISA
