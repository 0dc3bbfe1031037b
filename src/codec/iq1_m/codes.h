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

/// Which vectors are in the codebook, as bits: vector n is bit (n >> 7 & 7) of byte
/// [n >> 10][n & 127]. The low 7 bits are what one instruction looks up in two 512-bit registers.
inline constexpr std::size_t kMemberTables = (kVectors + 1023) / 1024;
struct alignas(64) Members {
  std::array<std::array<std::uint8_t, 128>, kMemberTables> bits{};
};
inline constexpr Members kMembers = [] {
  Members members;
  for (std::size_t n = 0; n < kVectors; ++n) {
    if (kEntryOfVector[n] == kNoEntry) continue;
    members.bits[n >> 10][n & 127] |= static_cast<std::uint8_t>(1u << (n >> 7 & 7));
  }
  return members;
}();

/// The coordinates of a vector as flags, two a coordinate: bit 2j for +1, bit 2j + 1 for -1. For
/// four coordinates, by their number of 0 to 80.
inline constexpr auto kFlagsOfFour = [] {
  struct alignas(64) Table {
    std::array<std::uint8_t, 128> flags{};
  } table;
  for (unsigned n = 0; n < 81; ++n) {
    for (unsigned j = 0, rest = n; j < 4; ++j, rest /= 3) {
      const unsigned flags = rest % 3 == 2 ? 1 : rest % 3 == 0 ? 2 : 0;
      table.flags[n] = static_cast<std::uint8_t>(table.flags[n] | flags << (2 * j));
    }
  }
  return table;
}();

}  // namespace sluice::inline SLUICE_ISA::iq1_m
