#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 22 bytes, 5.5 bits a weight: d * (code - 16), codes of [0, 31]. Byte j of `low`
/// holds the low four bits of code j in its low half and those of code j + 16 in its high half; bit
/// j of `high`, a little-endian number of 32 bits, is the fifth bit of code j.
struct BlockQ5_0 {
  std::uint16_t d;  ///< binary16
  std::uint8_t high[4];
  std::uint8_t low[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

void decode_q5_0(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_q5_0(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_q5_0(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
