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

/// IQ2_XS: 256 weights in 74 bytes (2.3125 bits a weight).
/// 32 groups of 8: a 9-bit index into a codebook of magnitudes and, in the upper 7 bits of the same
/// word, a sign index (signs.h). 16 sub-blocks of 16 weights with 4-bit scales l.
/// value = d * (l + 0.5) / 4 * (+-entry).
struct BlockIq2Xs {
  static constexpr std::size_t kWeights = 256;
  static constexpr const auto& kGrid = packed_grids::kIq2xsGrid;
  static constexpr const auto& kMagnitudes = kIq2Magnitudes;
  static constexpr std::size_t kWidth = 8;
  static constexpr bool kEvenSigns = true;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr float kUnit = 0.125f;
  static constexpr std::array<float, 4> kBestScales = {0.645f, 0.8f, 0.93f, 1.2f};
  static constexpr std::array<float, 2> kFastScales = {0.73f, 0.98f};

  std::uint16_t d;         ///< fp16 scale of the super-block
  std::uint16_t code[32];  ///< [group]
  std::uint8_t scales[8];  ///< two sub-blocks a byte, low nibble first

  /// `signs`: 8 bits, of which an even number is set.
  void set_octet(std::size_t group, const std::array<unsigned, 1>& entry, unsigned signs) noexcept {
    code[group] = static_cast<std::uint16_t>(entry[0] | (signs & 127) << 9);
  }
  unsigned scale(std::size_t b) const noexcept { return scales[b / 2] >> 4 * (b % 2) & 15u; }
  void set_scale(std::size_t b, unsigned l) noexcept { put_bits<4>(scales[b / 2], 4 * (b % 2), l); }

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* y) const noexcept {
    const float super_scale = f16_to_f32(d);
    for (unsigned group = 0; group < 32; ++group, y += 8) {
      const unsigned l = scales[group / 4] >> 4 * (group / 2 % 2) & 15;
      const float scale = super_scale * (0.5f + static_cast<float>(l)) * 0.25f;
      decode_signed(kIq2xsCodebook[code[group] & 511u], expand_signs(code[group] >> 9), scale, y);
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq2Xs) == 74);

}  // namespace sluice::inline SLUICE_ISA
