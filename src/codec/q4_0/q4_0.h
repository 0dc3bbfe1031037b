#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 18 bytes, 4.5 bits a weight: d * (code - 8), codes of [0, 15]. Byte j holds code j
/// in its low half and code j + 16 in its high half. `d` may be negative: -8 has no positive
/// partner, so the sign says on which side the range reaches further.
struct BlockQ4_0 {
  std::uint16_t d;  ///< binary16
  std::uint8_t codes[16];
};
static_assert(sizeof(BlockQ4_0) == 18);

void decode_q4_0(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_q4_0(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_q4_0(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
