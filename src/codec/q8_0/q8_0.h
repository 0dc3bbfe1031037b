#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 34 bytes, 8.5 bits a weight: d * code.
struct BlockQ8_0 {
  std::uint16_t d;  ///< binary16
  std::int8_t codes[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

void decode_q8_0(const std::byte* blocks, float* out, std::size_t elements) noexcept;

/// Takes no account of importance: every weight is within d / 2. Codes keep within [-127, 127],
/// since there are readers whose kernels negate codes or add 127 to them.
void encode_q8_0(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_q8_0(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
