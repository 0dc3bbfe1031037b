#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 17 bytes, 4.25 bits a weight: 2^(exponent - 127) times a four-bit float (E2M1).
/// OCP Microscaling Formats specification, version 1.0.
struct BlockMXFP4 {
  std::uint8_t exponent;   ///< E8M0
  std::uint8_t codes[16];  ///< byte j: code j in the low half, code j + 16 in the high half
};
static_assert(sizeof(BlockMXFP4) == 17);

void decode_mxfp4(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_mxfp4(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_mxfp4(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
