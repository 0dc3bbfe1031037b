#pragma once

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

void decode_iq1_s(const std::byte* blocks, float* out, std::size_t elements) noexcept;
void encode_iq1_s(const EncodeRows& rows, std::byte* out) noexcept;
bool scales_finite_iq1_s(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
