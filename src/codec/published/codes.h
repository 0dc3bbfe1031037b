#pragma once

// Codes along a row, 16 at a time, each times the same factor. What a code stands for is exact, so
// that the product is rounded once. Runs end anywhere: the last codes are decoded from a copy,
// since nothing after them may be read.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/published.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// How many bytes are decoded at once.
inline constexpr std::size_t kCodeBytes = simd::Ints::kLanes;

/// Whole groups of kCodeBytes: decode(bytes, out) writes kPerByte values for each byte. The rest is
/// padded with zeros.
template <std::size_t kPerByte, typename Decode>
SLUICE_INLINE void decode_groups(const std::byte* row, std::size_t count, float* out,
                                 const Decode& decode) noexcept {
  constexpr std::size_t kGroup = kCodeBytes * kPerByte;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(row);
  for (; count >= kGroup; count -= kGroup, bytes += kCodeBytes, out += kGroup) decode(bytes, out);
  if (count == 0) return;
  std::uint8_t rest[kCodeBytes] = {};
  float values[kGroup];
  std::memcpy(rest, bytes, (count + kPerByte - 1) / kPerByte);
  decode(rest, values);
  std::memcpy(out, values, count * sizeof(float));
}

/// Codes of a byte: value(codes) is what 16 of them stand for.
template <typename Value>
SLUICE_INLINE void decode_bytes(const std::byte* codes, std::size_t count, float factor, float* out,
                                const Value& value) noexcept {
  // Not noexcept, because the compilers disagree about where an attribute stands beside it.
  const auto decode = [&](const std::uint8_t* bytes, float* to) __attribute__((always_inline)) {
    (value(simd::load_bytes(bytes)) * factor).store(to);
  };
  decode_groups<1>(codes, count, out, decode);
}

/// Codes of half a byte, lower half first; words of 32 bits, little-endian, hold them so too.
template <typename Value>
SLUICE_INLINE void decode_nibbles(const std::byte* row, std::size_t first, std::size_t count,
                                  float factor, float* out, const Value& value) noexcept {
  const auto decode = [&](const std::uint8_t* bytes, float* to) __attribute__((always_inline)) {
    const simd::Ints pairs = simd::load_bytes(bytes);
    interleave(value(pairs & 15) * factor, value(simd::shift_right<4>(pairs)) * factor).store(to);
  };
  const std::byte* pairs = row + first / 2;
  if (first % 2 != 0 && count > 0) {
    const std::uint8_t pair[kCodeBytes] = {std::to_integer<std::uint8_t>(*pairs++)};
    float values[2 * kCodeBytes];
    decode(pair, values);
    *out++ = values[1];
    --count;
  }
  decode_groups<2>(pairs, count, out, decode);
}

}  // namespace sluice::inline SLUICE_ISA
