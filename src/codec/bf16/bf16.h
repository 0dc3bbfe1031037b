#pragma once

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// The upper half of binary32. Every value is exact in binary32.
void decode_bf16(const std::byte* blocks, float* out, std::size_t elements) noexcept;

/// Rounds to nearest, ties to even. Values that would round to an infinity become the largest
/// finite number instead.
void encode_bf16(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_bf16(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
