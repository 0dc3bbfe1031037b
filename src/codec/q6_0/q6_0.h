#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 26 bytes, 6.5 bits a weight: d * (code - 32), codes of [0, 63]. Byte j of `low`
/// holds the low four bits of code j in its low half and those of code j + 16 in its high half.
/// Byte j of `high` holds the upper two bits of codes j, j + 16, j + 8 and j + 24, lowest bits
/// first. ik_llama.cpp only.
struct BlockQ6_0 {
  std::uint16_t d;  ///< binary16
  std::uint8_t high[8];
  std::uint8_t low[16];
};
static_assert(sizeof(BlockQ6_0) == 26);

void decode_q6_0(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_q6_0(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_q6_0(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
