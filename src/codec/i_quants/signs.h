#pragma once

// Signs beside codebook magnitudes. IQ2_XXS, IQ2_XS and IQ3_XXS keep 8 signs in 7 bits, because the
// number of minus signs in a group is even.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::inline SLUICE_ISA {

/// The 8 sign bits (bit j set: value j is negative) that a 7-bit sign index stands for.
constexpr std::uint8_t expand_signs(unsigned index) noexcept {
  return static_cast<std::uint8_t>(index | static_cast<unsigned>(__builtin_parity(index)) << 7);
}

/// out[j] = +-scale * entry[j], minus where bit j of `signs` is set. kWidth is 4 or 8.
template <std::size_t kWidth>
void decode_signed(const std::array<std::int8_t, kWidth>& entry, unsigned signs, float scale,
                   float* out) noexcept {
  using Bytes = std::int8_t __attribute__((vector_size(4)));
  using FourFloats = float __attribute__((vector_size(16)));
  using Bits = std::uint32_t __attribute__((vector_size(16)));
  constexpr Bits kBit = {1, 2, 4, 8};
  for (std::size_t first = 0; first < kWidth; first += 4) {
    Bytes bytes;
    std::memcpy(&bytes, &entry[first], sizeof bytes);
    const FourFloats values = scale * __builtin_convertvector(bytes, FourFloats);
    Bits result;
    std::memcpy(&result, &values, sizeof result);
    // A sign is flipped without a branch: which way it goes cannot be foretold.
    result ^= ((Bits{} + (signs >> first)) & kBit) == kBit ? Bits{} + 0x80000000u : Bits{};
    std::memcpy(out + first, &result, sizeof result);
  }
}

}  // namespace sluice::inline SLUICE_ISA
