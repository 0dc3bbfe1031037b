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

/// IQ3_S: 256 weights in 110 bytes (3.4375 bits a weight).
/// 64 groups of 4 with a 9-bit index into a codebook of magnitudes (low 8 bits in `low`, the ninth
/// at bit g % 8 of `high[g / 8]`) and 4 sign bits. 8 sub-blocks of 32 weights with 4-bit scales.
/// value = d * (2 * l + 1) * (+-entry).
struct BlockIq3S {
  static constexpr std::size_t kWeights = 256;
  static constexpr const auto& kGrid = packed_grids::kIq3sGrid;
  static constexpr const auto& kMagnitudes = kIq3sMagnitudes;
  static constexpr std::size_t kWidth = 4;
  static constexpr bool kEvenSigns = false;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr float kUnit = 1.0f;
  static constexpr std::array<float, 5> kBestScales = {0.84f, 0.925f, 1.015f, 1.135f, 1.34f};
  static constexpr std::array<float, 3> kFastScales = {0.86f, 1.0f, 1.2f};

  std::uint16_t d;       ///< fp16 scale of the super-block
  std::uint8_t low[64];  ///< [group]
  std::uint8_t high[8];
  std::uint8_t signs[32];  ///< two groups a byte, low nibble first; bit set: value is negative
  std::uint8_t scales[4];  ///< two sub-blocks a byte, low nibble first

  /// Groups 2 * octet and 2 * octet + 1.
  void set_octet(std::size_t octet, const std::array<unsigned, 2>& entry,
                 unsigned sign_bits) noexcept {
    low[2 * octet] = static_cast<std::uint8_t>(entry[0]);
    low[2 * octet + 1] = static_cast<std::uint8_t>(entry[1]);
    const unsigned ninth = entry[0] >> 8 | entry[1] >> 8 << 1;
    put_bits<2>(high[octet / 4], 2 * (octet % 4), ninth);
    signs[octet] = static_cast<std::uint8_t>(sign_bits);
  }
  unsigned scale(std::size_t b) const noexcept { return scales[b / 2] >> 4 * (b % 2) & 15u; }
  void set_scale(std::size_t b, unsigned l) noexcept { put_bits<4>(scales[b / 2], 4 * (b % 2), l); }

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* y) const noexcept {
    const float super_scale = f16_to_f32(d);
    for (unsigned group = 0; group < 64; ++group, y += 4) {
      const unsigned l = scales[group / 16] >> 4 * (group / 8 % 2) & 15;
      const float scale = super_scale * static_cast<float>(2 * l + 1);
      const unsigned index = low[group] | (high[group / 8] >> group % 8 & 1) << 8;
      decode_signed(kIq3sCodebook[index], signs[group / 2] >> 4 * (group % 2), scale, y);
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq3S) == 110);

}  // namespace sluice::inline SLUICE_ISA
