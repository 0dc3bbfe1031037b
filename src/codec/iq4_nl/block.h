#pragma once

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// IQ4_NL: 32 weights in 18 bytes (4.5 bits a weight).
/// value = d * kIq4Levels[code], with the 4-bit code of weight j in the low nibble of `codes[j]`
/// for j < 16, in the high nibble of `codes[j - 16]` otherwise.
struct BlockIq4Nl {
  std::uint16_t d;  ///< fp16 scale
  std::uint8_t codes[16];
};
static_assert(sizeof(BlockIq4Nl) == 18);

}  // namespace sluice::inline SLUICE_ISA
