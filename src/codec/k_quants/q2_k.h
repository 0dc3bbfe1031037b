#pragma once

#include "codec/k_quants/affine_search.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 84 bytes, 2.625 bits a weight: 16 sub-blocks of 16, each with a scale and a min
/// of [0, 15]; a weight is d * scale * code - dmin * min, codes of [0, 3].
struct BlockQ2_K {
  std::uint8_t scales[16];  ///< of sub-block s: scale in the low half, min in the high half
  std::uint8_t codes[64];   ///< see pack_two_bits()
  std::uint16_t d;          ///< binary16
  std::uint16_t dmin;       ///< binary16

  static constexpr std::size_t kWeights = kSuperBlock;
  static constexpr AffineSettings kSettings = {
      .high = 3, .largest = 15, .effort = {-0.2f, 0.1f, 7, 1}, .rounds = 2, .reach = 1};

  bool finite() const noexcept { return finite_half(d) & finite_half(dmin); }

  void decode(float* out) const noexcept {
    const float scale_unit = f16_to_f32(d);
    const float min_unit = f16_to_f32(dmin);
    std::uint8_t code[256];
    unpack_two_bits(codes, code);
    for (int s = 0; s < 16; ++s) {
      const float scale = scale_unit * static_cast<float>(scales[s] & 15);
      const float offset = min_unit * static_cast<float>(scales[s] >> 4);
      (scale * simd::to_floats(simd::load_bytes(code + 16 * s)) - offset).store(out + 16 * s);
    }
  }

  void set(const AffineSuperBlock<16>& found) noexcept {
    for (int s = 0; s < 16; ++s) {
      scales[s] = static_cast<std::uint8_t>(found.scales[s] | found.mins[s] << 4);
    }
    pack_two_bits(found.codes, codes);
    d = found.d;
    dmin = found.dmin;
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_super_blocks<BlockQ2_K, AffineSearch<16>>(rows, out, kSettings);
  }
};
static_assert(sizeof(BlockQ2_K) == 84);

}  // namespace sluice::inline SLUICE_ISA
