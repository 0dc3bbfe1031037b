#pragma once

// The codebook of IQ1_M and IQ1_S looked up by what is in a vector. A ternary vector's number is
// the sum of (code[j] + 1) * 3^j: a step of one coordinate adds or subtracts a power of 3, whatever
// the other coordinates are, so that a search can walk without ever unpacking a vector.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/codebooks.h"
#include "simd/tables.h"

namespace sluice::inline SLUICE_ISA::iq1 {

using simd::Shorts;

inline constexpr std::size_t kVectors = 6561;  // 3^8
inline constexpr std::uint16_t kZeroVector = kVectors / 2;
inline constexpr std::array<std::int16_t, 8> kPowersOf3 = {1, 3, 9, 27, 81, 243, 729, 2187};
inline constexpr std::uint16_t kNoEntry = 0xffff;

/// The codebook index of each vector, or kNoEntry.
inline constexpr auto kEntryOfVector = [] {
  std::array<std::uint16_t, kVectors> entries{};
  entries.fill(kNoEntry);
  for (std::size_t entry = 0; entry < kIq1sCodebook.size(); ++entry) {
    int number = kZeroVector;
    for (std::size_t j = 0; j < kPowersOf3.size(); ++j) {
      number += kIq1sCodebook[entry][j] * kPowersOf3[j];
    }
    entries[static_cast<std::size_t>(number)] = static_cast<std::uint16_t>(entry);
  }
  return entries;
}();
static_assert(kEntryOfVector[kZeroVector] != kNoEntry, "the search falls back on it");

/// The coordinates of a vector as flags, two a coordinate: bit 2j for +1, bit 2j + 1 for -1. For
/// four coordinates, by their number of 0 to 80.
inline constexpr simd::ByteTable<81> kFlagsOfFour([](std::size_t n) {
  unsigned flags = 0;
  for (unsigned j = 0; j < 4; ++j, n /= 3) {
    flags |= (n % 3 == 2 ? 1u : n % 3 == 0 ? 2u : 0u) << (2 * j);
  }
  return static_cast<std::uint8_t>(flags);
});

/// The flags of the coordinates of each vector.
template <std::size_t N>
SLUICE_INLINE simd::Lanes<std::int16_t, N> flags_of(
    const simd::Lanes<std::int16_t, N>& number) noexcept {
  // number / 81, exact for all numbers: 6473 / 2^19 is 1 / 81 and 6e-7 more.
  const auto high = simd::shift_right_unsigned<3>(multiply_high_unsigned(number, 6473));
  // number % 81 + 256 * (number / 81)
  return kFlagsOfFour.look_up(number + high * simd::Lanes<std::int16_t, N>(256 - 81));
}

}  // namespace sluice::inline SLUICE_ISA::iq1
