#pragma once

#include <cstdint>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 66 bytes, 2.0625 bits a weight: d * (code - 1), for models trained with weights
/// of -1, 0 and 1 times a constant.
struct BlockTQ2_0 {
  std::uint8_t codes[64];  ///< see packing/two_bit_planes.h
  std::uint16_t d;         ///< binary16
};
static_assert(sizeof(BlockTQ2_0) == 66);

void decode_tq2_0(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_tq2_0(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_tq2_0(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
