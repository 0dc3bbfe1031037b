#pragma once

// Codes of 32 weights as most 32-weight types lay them out: low four bits in pairs of half bytes,
// higher bits apart.

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// Byte j holds the low four bits of code j and, above them, those of code j + 16.
static inline void pack_nibbles(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
  for (int j = 0; j < 16; ++j) {
    bytes[j] = static_cast<std::uint8_t>((codes[j] & 15) | (codes[j + 16] & 15) << 4);
  }
}

/// The opposite: 32 numbers of [0, 15].
static inline void unpack_nibbles(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  for (int j = 0; j < 16; ++j) {
    codes[j] = bytes[j] & 15;
    codes[j + 16] = bytes[j] >> 4;
  }
}

/// Bit j of a little-endian number of 32 bits is the fifth bit of code j.
static inline void pack_fifth_bits(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
  for (int byte = 0; byte < 4; ++byte) {
    unsigned bits = 0;
    for (int j = 0; j < 8; ++j) bits |= (codes[8 * byte + j] >> 4 & 1u) << j;
    bytes[byte] = static_cast<std::uint8_t>(bits);
  }
}

/// Adds 16 to the codes whose fifth bit is set.
static inline void add_fifth_bits(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  for (int j = 0; j < 32; ++j) {
    codes[j] = static_cast<std::uint8_t>(codes[j] | (bytes[j / 8] >> (j % 8) & 1) << 4);
  }
}

}  // namespace sluice::inline SLUICE_ISA
