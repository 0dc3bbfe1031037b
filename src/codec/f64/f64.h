#pragma once

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// IEEE binary64, read only, rounded to binary32. Values beyond binary32 become infinities, which a
/// caller that refuses infinities will see.
void decode_f64(const std::byte* blocks, float* out, std::size_t elements) noexcept;
bool scales_finite_f64(const std::byte* blocks, std::size_t count) noexcept;

}  // namespace sluice::inline SLUICE_ISA
