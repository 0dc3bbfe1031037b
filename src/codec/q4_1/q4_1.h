#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 20 bytes, 5 bits a weight: d * code + m, codes of [0, 15]. Byte j holds code j in
/// its low half and code j + 16 in its high half.
struct BlockQ4_1 {
  std::uint16_t d;  ///< binary16
  std::uint16_t m;  ///< binary16, the value of code 0
  std::uint8_t codes[16];
};
static_assert(sizeof(BlockQ4_1) == 20);

void decode_q4_1(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_q4_1(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_q4_1(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
