#pragma once

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

void decode_iq5_k(const std::byte* blocks, float* out, std::size_t elements) noexcept;
bool scales_finite_iq5_k(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
