#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/half.h"
#include "codec/i_quants/levels.h"
#include "codec/packing.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_NL: 32 weights in 18 bytes (4.5 bits a weight).
/// value = d * kIq4Levels[code], with the 4-bit code of weight j in the low nibble of `codes[j]`
/// for j < 16, in the high nibble of `codes[j - 16]` otherwise.
struct BlockIq4Nl {
  static constexpr std::size_t kWeights = 32;
  static constexpr Levels<16> kLevels = kIq4Levels;

  std::uint16_t d;  ///< fp16 scale
  std::uint8_t codes[16];

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* out) const noexcept {
    const float scale = f16_to_f32(d);
    for (unsigned j = 0; j < 16; ++j) {
      out[j] = scale * kIq4Levels[codes[j] & 15u];
      out[j + 16] = scale * kIq4Levels[codes[j] >> 4];
    }
  }
  void set_code(std::size_t i, unsigned code) noexcept { set_nibble<16>(codes, i, code); }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq4Nl) == 18);

}  // namespace sluice::inline SLUICE_ISA
