#pragma once

#include "codec/k_quants/affine_search.h"
#include "codec/k_quants/scales_and_mins.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 144 bytes, 4.5 bits a weight: 8 sub-blocks of 32, each with a scale and a min of
/// [0, 63]; a weight is d * scale * code - dmin * min, codes of [0, 15].
struct BlockQ4_K {
  std::uint16_t d;     ///< binary16
  std::uint16_t dmin;  ///< binary16
  ScalesAndMins scales_and_mins;
  /// Byte 32 * g + l holds the code of weight 64 * g + l in its low half and that of the weight 32
  /// further on in its high half.
  std::uint8_t codes[128];

  static constexpr std::size_t kWeights = kSuperBlock;
  static constexpr AffineSettings kSettings = {
      .high = 15, .largest = 63, .effort = {-0.1f, 0.04f, 8, 1}, .rounds = 1, .reach = 1};

  bool finite() const noexcept { return finite_half(d) & finite_half(dmin); }

  int code(int s, int l) const noexcept { return codes[s / 2 * 32 + l] >> (s % 2 * 4) & 15; }
  void decode(float* out) const noexcept { decode_scales_and_mins(*this, out); }

  void set(const AffineSuperBlock<32>& found) noexcept {
    d = found.d;
    dmin = found.dmin;
    scales_and_mins.set(found.scales, found.mins);
    pack_nibbles<32>(found.codes, codes, kSuperBlock);
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_super_blocks<BlockQ4_K, AffineSearch<32>>(rows, out, kSettings);
  }
};
static_assert(sizeof(BlockQ4_K) == 144);

}  // namespace sluice::inline SLUICE_ISA
