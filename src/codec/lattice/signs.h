#pragma once

// Signs beside codebook magnitudes. IQ2_XXS, IQ2_XS and IQ3_XXS keep 8 signs in 7 bits, because the
// number of minus signs in a group is even.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// The 8 sign bits (bit j set: value j is negative) that a 7-bit sign index stands for.
constexpr std::uint8_t expand_signs(unsigned index) noexcept {
  return static_cast<std::uint8_t>(index | (std::popcount(index) & 1u) << 7);
}

/// out[j] = +-scale * entry[j], minus where bit j of `signs` is set.
template <std::size_t kWidth>
void decode_signed(const std::array<std::int8_t, kWidth>& entry, unsigned signs, float scale,
                   float* out) noexcept {
  for (std::size_t j = 0; j < kWidth; ++j) {
    const float value = scale * static_cast<float>(entry[j]);
    out[j] = signs >> j & 1 ? -value : value;
  }
}

}  // namespace sluice::inline SLUICE_ISA
