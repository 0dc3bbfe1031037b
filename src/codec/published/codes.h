#pragma once

// Codes along a row, each times the same factor. The loops are plain, so that the compiler makes of
// them what an instruction set has.

#include <cstddef>
#include <cstdint>

#include "codec/published.h"

namespace sluice::inline SLUICE_ISA {

/// Codes of a byte.
template <typename Value>
void decode_bytes(const std::byte* codes, std::size_t count, float factor, float* __restrict out,
                  const Value& value) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = value(std::to_integer<std::uint32_t>(codes[i])) * factor;
  }
}

/// Codes of half a byte, lower half first; words of 32 bits, little-endian, hold them so too.
template <typename Value>
void decode_nibbles(const std::byte* row, std::size_t first, std::size_t count, float factor,
                    float* __restrict out, const Value& value) noexcept {
  const std::byte* pair = row + first / 2;
  if (first % 2 != 0 && count > 0) {
    *out++ = value(std::to_integer<std::uint32_t>(*pair++) >> 4) * factor;
    --count;
  }
  for (std::size_t i = 0; i < count / 2; ++i) {
    const auto both = std::to_integer<std::uint32_t>(pair[i]);
    out[2 * i] = value(both & 15u) * factor;
    out[2 * i + 1] = value(both >> 4) * factor;
  }
  if (count % 2 != 0) {
    out[count - 1] = value(std::to_integer<std::uint32_t>(pair[count / 2]) & 15u) * factor;
  }
}

}  // namespace sluice::inline SLUICE_ISA
