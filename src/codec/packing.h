#pragma once

// Codes of a few bits in bytes, as several types lay them out.

#include <cstdint>
#include <cstring>

namespace sluice::inline SLUICE_ISA {

/// Sixteen bytes in a register; loops over bytes that are shifted do not get there by themselves.
using Bytes16 = std::uint8_t __attribute__((vector_size(16)));

/// The low four bits of `weights` codes, those `kApart` from each other in one byte: byte j of each
/// run of kApart bytes holds code j of 2 kApart and, above it, code j + kApart. Where codes have
/// more bits, these are left out.
template <int kApart = 16>
static inline void pack_nibbles(const std::uint8_t* codes, std::uint8_t* bytes,
                                int weights = 32) noexcept {
  for (int run = 0; run < weights / (2 * kApart); ++run) {
    for (int j = 0; j < kApart; j += 16) {
      Bytes16 first;
      Bytes16 second;
      std::memcpy(&first, codes + run * 2 * kApart + j, sizeof first);
      std::memcpy(&second, codes + run * 2 * kApart + kApart + j, sizeof second);
      const Bytes16 packed = (first & 15) | second << 4;
      std::memcpy(bytes + run * kApart + j, &packed, sizeof packed);
    }
  }
}

/// The opposite, of 32 codes 16 apart: numbers of [0, 15].
static inline void unpack_nibbles(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  Bytes16 packed;
  std::memcpy(&packed, bytes, sizeof packed);
  const Bytes16 first = packed & 15;
  const Bytes16 second = packed >> 4;
  std::memcpy(codes, &first, sizeof first);
  std::memcpy(codes + 16, &second, sizeof second);
}

/// Two bits of each of 256 codes as Q2_K, Q3_K, Q6_K and TQ2_0 lay them out: each half of 128 has
/// 32 bytes, and byte l of it holds codes l, l + 32, l + 64 and l + 96, lowest bits first.
static inline void pack_two_bits(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
  for (int half = 0; half < 2; ++half) {
    for (int l = 0; l < 32; ++l) {
      const std::uint8_t* c = codes + 128 * half + l;
      bytes[32 * half + l] = static_cast<std::uint8_t>((c[0] & 3) | (c[32] & 3) << 2 |
                                                       (c[64] & 3) << 4 | (c[96] & 3) << 6);
    }
  }
}

static inline void unpack_two_bits(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  for (int run = 0; run < 8; ++run) {
    for (int l = 0; l < 32; ++l) {
      codes[32 * run + l] = bytes[run / 4 * 32 + l] >> (2 * (run % 4)) & 3;
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
