#pragma once

#include <cstddef>

#include "codec/tile.h"

namespace sluice::inline SLUICE_ISA {

/// The largest magnitude of each of 16 blocks, one after the other, of so many values.
template <std::size_t kBlock>
SLUICE_INLINE Floats largest_of_blocks(const float* values) noexcept {
  Floats largest;
  for (std::size_t p = 0; p < kTileParts; ++p) {
    FloatPart square[kPartColumns];
#pragma GCC unroll 16
    for (std::size_t c = 0; c < kPartColumns; ++c) {
      square[c] = abs(FloatPart::load(values));
#pragma GCC unroll 8
      for (std::size_t i = kPartColumns; i < kBlock; i += kPartColumns) {
        square[c] = max(square[c], abs(FloatPart::load(values + i)));
      }
      values += kBlock;
    }
    transpose(square);
#pragma GCC unroll 16
    for (std::size_t r = 1; r < kPartColumns; ++r) square[0] = max(square[0], square[r]);
    set_part(largest, p, square[0]);
  }
  return largest;
}

}  // namespace sluice::inline SLUICE_ISA
