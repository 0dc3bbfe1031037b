#pragma once

#include "codec/k_quants/affine_search.h"
#include "codec/k_quants/scales_and_mins.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 176 bytes, 5.5 bits a weight: 8 sub-blocks of 32, each with a scale and a min of
/// [0, 63]; a weight is d * scale * code - dmin * min, codes of [0, 31].
struct BlockQ5_K {
  std::uint16_t d;     ///< binary16
  std::uint16_t dmin;  ///< binary16
  ScalesAndMins scales_and_mins;
  std::uint8_t high[32];  ///< bit s of byte l: the fifth bit of code l of sub-block s
  std::uint8_t low[128];  ///< the low four bits of the codes, laid out as in Q4_K

  static constexpr std::size_t kWeights = kSuperBlock;
  static constexpr AffineSettings kSettings = {
      .high = 31, .largest = 63, .effort = {-0.12f, 0.02f, 10, 1}, .rounds = 1, .reach = 2};

  bool finite() const noexcept { return finite_half(d) & finite_half(dmin); }

  int code(int s, int l) const noexcept {
    return (low[s / 2 * 32 + l] >> (s % 2 * 4) & 15) | (high[l] >> s & 1) << 4;
  }
  void decode(float* out) const noexcept { decode_scales_and_mins(*this, out); }

  void set(const AffineSuperBlock<32>& found) noexcept {
    d = found.d;
    dmin = found.dmin;
    scales_and_mins.set(found.scales, found.mins);
    for (int l = 0; l < 32; ++l) {
      unsigned bits = 0;
      for (int s = 0; s < 8; ++s) bits |= (found.codes[32 * s + l] >> 4 & 1u) << s;
      high[l] = static_cast<std::uint8_t>(bits);
    }
    pack_nibbles<32>(found.codes, low, kSuperBlock);
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_super_blocks<BlockQ5_K, AffineSearch<32>>(rows, out, kSettings);
  }
};
static_assert(sizeof(BlockQ5_K) == 176);

}  // namespace sluice::inline SLUICE_ISA
