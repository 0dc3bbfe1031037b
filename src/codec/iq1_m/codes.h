#pragma once

// The IQ1_M codebook looked up by what is in a vector. A ternary vector's number is the sum of
// (code[j] + 1) * 3^j: a step of one coordinate adds or subtracts a power of 3, whatever the other
// coordinates are, so that a search can walk without ever unpacking a vector.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/lattice/codebooks.h"

namespace sluice::inline SLUICE_ISA::iq1_m {

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

}  // namespace sluice::inline SLUICE_ISA::iq1_m
