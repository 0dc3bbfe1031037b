#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/half.h"
#include "codec/i_quants/codebooks.h"
#include "codec/i_quants/signs.h"
#include "codec/packing.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_S: 256 weights in 82 bytes (2.5625 bits a weight).
/// 32 groups of 8: a 10-bit index into a codebook of magnitudes (low 8 bits in `low`, high 2 bits
/// at bit 2 * (g % 4) of `high[g / 4]`) and 8 sign bits. 16 sub-blocks of 16 weights with 4-bit
/// scales. value = d * (l + 0.5) / 4 * (+-entry).
struct BlockIq2S {
  static constexpr std::size_t kWeights = 256;
  static constexpr const auto& kGrid = packed_grids::kIq2sGrid;
  static constexpr const auto& kMagnitudes = kIq2Magnitudes;
  static constexpr std::size_t kWidth = 8;
  static constexpr bool kEvenSigns = false;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr float kUnit = 0.125f;
  static constexpr std::array<float, 3> kBestScales = {0.66f, 0.83f, 1.05f};
  static constexpr std::array<float, 2> kFastScales = {0.7f, 0.95f};

  std::uint16_t d;         ///< fp16 scale of the super-block
  std::uint8_t low[32];    ///< [group]
  std::uint8_t signs[32];  ///< [group], bit j: value j is negative
  std::uint8_t high[8];
  std::uint8_t scales[8];  ///< two sub-blocks a byte, low nibble first

  void set_octet(std::size_t group, const std::array<unsigned, 1>& entry,
                 unsigned sign_bits) noexcept {
    low[group] = static_cast<std::uint8_t>(entry[0]);
    put_bits<2>(high[group / 4], 2 * (group % 4), entry[0] >> 8);
    signs[group] = static_cast<std::uint8_t>(sign_bits);
  }
  unsigned scale(std::size_t b) const noexcept { return scales[b / 2] >> 4 * (b % 2) & 15u; }
  void set_scale(std::size_t b, unsigned l) noexcept { put_bits<4>(scales[b / 2], 4 * (b % 2), l); }

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* y) const noexcept {
    const float super_scale = f16_to_f32(d);
    for (unsigned group = 0; group < 32; ++group, y += 8) {
      const unsigned l = scales[group / 4] >> 4 * (group / 2 % 2) & 15;
      const float scale = super_scale * (0.5f + static_cast<float>(l)) * 0.25f;
      const unsigned index = low[group] | (high[group / 4] >> 2 * (group % 4) & 3) << 8;
      decode_signed(kIq2sCodebook[index], signs[group], scale, y);
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq2S) == 82);

}  // namespace sluice::inline SLUICE_ISA
