#pragma once

// Codes of a few bits in bytes, as several types lay them out.

#include <cstdint>
#include <cstring>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// Bytes in a register, or several; loops over bytes that are shifted do not get there by
/// themselves. Shifts are by constants, which all machines have.
template <int N>
struct ByteVector {
  typedef std::uint8_t type __attribute__((vector_size(N)));
};
template <int N>
using Bytes = typename ByteVector<N>::type;

/// Writes the low bits of `value` over those that stand at bit `at`.
template <int kBits, typename Word>
SLUICE_INLINE void put_bits(Word& word, std::size_t at, unsigned value) noexcept {
  constexpr unsigned kMask = (1u << kBits) - 1;
  word = static_cast<Word>((word & ~(kMask << at)) | (value & kMask) << at);
}

/// The low four bits of `weights` codes, those `kApart` from each other in one byte: byte j of each
/// run of kApart bytes holds code j of 2 kApart and, above it, code j + kApart. Where codes have
/// more bits, these are left out.
template <int kApart = 16>
static inline void pack_nibbles(const std::uint8_t* codes, std::uint8_t* bytes,
                                int weights = 2 * kApart) noexcept {
  for (int i = 0; i < weights / 2; i += kApart) {
    Bytes<kApart> first;
    Bytes<kApart> second;
    std::memcpy(&first, codes + 2 * i, sizeof first);
    std::memcpy(&second, codes + 2 * i + kApart, sizeof second);
    const Bytes<kApart> packed = (first & 15) | second << 4;
    std::memcpy(bytes + i, &packed, sizeof packed);
  }
}

/// Puts code i of these among others.
template <int kApart>
static inline void set_nibble(std::uint8_t* bytes, std::size_t i, unsigned code) noexcept {
  put_bits<4>(bytes[i / (2 * kApart) * kApart + i % kApart], i / kApart % 2 * 4, code);
}

/// The opposite of 32 codes: numbers of [0, 15].
static inline void unpack_nibbles(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  Bytes<16> packed;
  std::memcpy(&packed, bytes, sizeof packed);
  const Bytes<16> first = packed & 15;
  const Bytes<16> second = packed >> 4;
  std::memcpy(codes, &first, sizeof first);
  std::memcpy(codes + 16, &second, sizeof second);
}

/// Where four runs of 32 codes are put together, as many of a run as fill a register.
inline constexpr int kRunBytes = simd::Machine::kBytes < 32 ? 16 : 32;
using RunBytes = Bytes<kRunBytes>;

static inline RunBytes load_run(const std::uint8_t* from) noexcept {
  RunBytes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}
static inline void store_run(std::uint8_t* to, const RunBytes& bytes) noexcept {
  std::memcpy(to, &bytes, sizeof bytes);
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

/// Puts the lowest two bits of code i among the others'.
static inline void set_two_bits(std::uint8_t* bytes, std::size_t i, unsigned code) noexcept {
  put_bits<2>(bytes[i / 128 * 32 + i % 32], i / 32 % 4 * 2, code);
}

static inline void unpack_two_bits(const std::uint8_t* bytes, std::uint8_t* codes) noexcept {
  for (int half = 0; half < 2; ++half, bytes += 32, codes += 128) {
    for (int l = 0; l < 32; l += kRunBytes) {
      const RunBytes packed = load_run(bytes + l);
      store_run(codes + l, packed & 3);
      store_run(codes + l + 32, packed >> 2 & 3);
      store_run(codes + l + 64, packed >> 4 & 3);
      store_run(codes + l + 96, packed >> 6);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
