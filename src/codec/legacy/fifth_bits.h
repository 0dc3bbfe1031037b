#pragma once

// The fifth bits of 32 codes, as Q5_0 and Q5_1 lay them out.

#include <cstdint>
#include <cstring>

#include "codec/packing.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::inline SLUICE_ISA {

/// Bit j of a little-endian number of 32 bits is the fifth bit of code j.
static inline void pack_fifth_bits(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
#if defined(__SSE2__)
  for (int half = 0; half < 2; ++half) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + 16 * half));
    const int bits = _mm_movemask_epi8(_mm_slli_epi16(sixteen, 3));
    bytes[2 * half] = static_cast<std::uint8_t>(bits);
    bytes[2 * half + 1] = static_cast<std::uint8_t>(bits >> 8);
  }
#else
  for (int byte = 0; byte < 4; ++byte) {
    unsigned bits = 0;
    for (int j = 0; j < 8; ++j) bits |= (codes[8 * byte + j] >> 4 & 1u) << j;
    bytes[byte] = static_cast<std::uint8_t>(bits);
  }
#endif
}

/// Adds 16 to the codes whose fifth bit is set.
static inline void add_fifth_bits(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  for (int half = 0; half < 2; ++half) {
    // Each byte eight times; of each its own bit.
    std::uint64_t spread[2];
    for (int k = 0; k < 2; ++k) spread[k] = bytes[2 * half + k] * 0x0101010101010101u;
    constexpr Bytes<16> kBit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    Bytes<16> bits;
    std::memcpy(&bits, spread, sizeof bits);
    const Bytes<16> sixteen = (bits & kBit) == kBit ? Bytes<16>{} + 16 : Bytes<16>{};
    Bytes<16> low;
    std::memcpy(&low, codes + 16 * half, sizeof low);
    low |= sixteen;
    std::memcpy(codes + 16 * half, &low, sizeof low);
  }
}

}  // namespace sluice::inline SLUICE_ISA
