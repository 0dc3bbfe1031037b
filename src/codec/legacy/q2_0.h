#pragma once

#include "codec/legacy/block32.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// The bits of Q2_0: 64 weights in 18 bytes, 2.25 bits a weight: d * (code - 1), codes of [0, 3].
/// Four neighbouring codes are in a byte, the first in its lowest bits. `d` may be negative: 2 has no
/// partner, so the sign says on which side the range reaches further. Weights of -d, 0 and d, for
/// which the type was made, come through exactly.
struct BitsQ2_0 {
  std::uint16_t d;  ///< binary16
  std::uint8_t pairs[16];

  static constexpr int kLow = -1;
  static constexpr int kHigh = 2;
  // Inverse scales from one code to 4.5 for the largest magnitude.
  static constexpr SymmetricEffort kEffort = {0.0f, 0.25f, 15, 2, 1};

  void set_codes(const BlockCodes<64>& codes) noexcept {
    for (int i = 0; i < 16; ++i) {
      const std::uint8_t* c = codes + 4 * i;
      pairs[i] = static_cast<std::uint8_t>(c[0] | c[1] << 2 | c[2] << 4 | c[3] << 6);
    }
  }
  void get_codes(BlockCodes<64>& codes) const noexcept {
    for (int i = 0; i < 64; ++i) codes[i] = pairs[i / 4] >> 2 * (i % 4) & 3;
  }
  void set_code(std::size_t i, unsigned code) noexcept {
    put_bits<2>(pairs[i / 4], 2 * (i % 4), code);
  }
};
static_assert(sizeof(BitsQ2_0) == 18);

using BlockQ2_0 = SymmetricBlock<BitsQ2_0, 64>;

}  // namespace sluice::inline SLUICE_ISA
