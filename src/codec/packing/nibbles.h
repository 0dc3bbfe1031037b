#pragma once

// Codes of 32 weights as most 32-weight types lay them out: low four bits in pairs of half bytes,
// higher bits apart.

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::inline SLUICE_ISA {

/// Sixteen bytes in a register; loops over bytes that are shifted do not get there by themselves.
using Bytes16 = std::uint8_t __attribute__((vector_size(16)));

/// Byte j holds the low four bits of code j and, above them, those of code j + 16.
static inline void pack_nibbles(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
  Bytes16 first;
  Bytes16 second;
  std::memcpy(&first, codes, sizeof first);
  std::memcpy(&second, codes + 16, sizeof second);
  const Bytes16 packed = (first & 15) | second << 4;
  std::memcpy(bytes, &packed, sizeof packed);
}

/// The opposite: 32 numbers of [0, 15].
static inline void unpack_nibbles(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  Bytes16 packed;
  std::memcpy(&packed, bytes, sizeof packed);
  const Bytes16 first = packed & 15;
  const Bytes16 second = packed >> 4;
  std::memcpy(codes, &first, sizeof first);
  std::memcpy(codes + 16, &second, sizeof second);
}

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
    constexpr Bytes16 kBit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    Bytes16 bits;
    std::memcpy(&bits, spread, sizeof bits);
    const Bytes16 sixteen = (bits & kBit) == kBit ? Bytes16{} + 16 : Bytes16{};
    Bytes16 low;
    std::memcpy(&low, codes + 16 * half, sizeof low);
    low |= sixteen;
    std::memcpy(codes + 16 * half, &low, sizeof low);
  }
}

}  // namespace sluice::inline SLUICE_ISA
