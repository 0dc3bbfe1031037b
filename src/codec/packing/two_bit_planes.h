#pragma once

// Codes of 256 weights, two bits each, as Q2_K, Q3_K and Q6_K lay them out: each half of 128
// weights has 32 bytes, and byte l of it holds the codes of weights l, l + 32, l + 64 and l + 96,
// lowest bits first.

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

static inline void pack_two_bits(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
  for (int half = 0; half < 2; ++half) {
    for (int l = 0; l < 32; ++l) {
      const std::uint8_t* c = codes + 128 * half + l;
      bytes[32 * half + l] = static_cast<std::uint8_t>((c[0] & 3) | (c[32] & 3) << 2 |
                                                       (c[64] & 3) << 4 | (c[96] & 3) << 6);
    }
  }
}

static inline void unpack_two_bits(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  for (int run = 0; run < 8; ++run) {
    for (int l = 0; l < 32; ++l) {
      codes[32 * run + l] = bytes[run / 4 * 32 + l] >> (2 * (run % 4)) & 3;
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
