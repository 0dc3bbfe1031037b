#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 24 bytes, 6 bits a weight: d * code + m, codes of [0, 31], laid out as in Q5_0.
struct BlockQ5_1 {
  std::uint16_t d;  ///< binary16
  std::uint16_t m;  ///< binary16, the value of code 0
  std::uint8_t high[4];
  std::uint8_t low[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

void decode_q5_1(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_q5_1(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_q5_1(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
