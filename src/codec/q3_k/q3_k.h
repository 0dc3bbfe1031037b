#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 110 bytes, 3.4375 bits a weight: 16 sub-blocks of 16, each with a scale of six
/// bits; a weight is d * (scale - 32) * (code - 4), codes of [0, 7].
struct BlockQ3_K {
  std::uint8_t high[32];  ///< bit i / 32 of byte i % 32: the third bit of code i
  std::uint8_t low[64];   ///< the low two bits, see packing/two_bit_planes.h
  /// Bytes 0 to 7 hold the low four bits of scales 0 to 7 in their low halves and those of scales 8
  /// to 15 in their high halves. Byte 8 + b holds the upper two bits of scales b, b + 4, b + 8 and
  /// b + 12, lowest bits first.
  std::uint8_t scales[12];
  std::uint16_t d;  ///< binary16

  /// A scale of [-32, 31]. Wants the block zeroed before, and each sub-block set once.
  void set_scale(int s, int value) noexcept {
    const int biased = value + 32;
    scales[s % 8] = static_cast<std::uint8_t>(scales[s % 8] | (biased & 15) << (s / 8 * 4));
    std::uint8_t& high_bits = scales[8 + s % 4];
    high_bits = static_cast<std::uint8_t>(high_bits | biased >> 4 << (s / 4 * 2));
  }
};
static_assert(sizeof(BlockQ3_K) == 110);

void decode_q3_k(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_q3_k(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_q3_k(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
