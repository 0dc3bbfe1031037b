#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 64 weights in 36 bytes, 4.5 bits a weight: four sub-blocks of 16, each with a scale that is an
/// unsigned eight-bit float (four bits of exponent, biased by 7, three of mantissa), times a
/// four-bit float (E2M1). A tensor's further scale, where there is one, is a tensor of its own,
/// which readers multiply results by: values here are without it.
struct BlockNVFP4 {
  std::uint8_t scales[4];
  /// Byte 8 * s + j: of sub-block s, code j in the low half and code j + 8 in the high half.
  std::uint8_t codes[32];
};
static_assert(sizeof(BlockNVFP4) == 36);

void decode_nvfp4(const std::byte* blocks, float* out, std::size_t elements) noexcept;
bool scales_finite_nvfp4(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
