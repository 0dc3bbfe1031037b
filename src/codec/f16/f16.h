#pragma once

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// IEEE binary16. Every value is exact in binary32.
void decode_f16(const std::byte* blocks, float* out, std::size_t elements) noexcept;

/// Rounds to nearest, ties to even. Values beyond +-65504, the largest that binary16 holds, become
/// +-65504: an infinity would spoil every product it enters.
void encode_f16(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_f16(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
