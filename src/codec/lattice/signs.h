#pragma once

// The sign rule of IQ2_XXS, IQ2_XS and IQ3_XXS: 8 signs in 7 bits, because the number of minus
// signs in a group is even.

#include <bit>
#include <cstdint>

namespace sluice {

/// The 8 sign bits (bit j set: value j is negative) that a 7-bit sign index stands for.
constexpr std::uint8_t expand_signs(unsigned index) noexcept {
  return static_cast<std::uint8_t>(index | (std::popcount(index) & 1u) << 7);
}

}  // namespace sluice
