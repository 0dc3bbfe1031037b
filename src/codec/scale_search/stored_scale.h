#pragma once

// Scales as the block formats store them.

#include <algorithm>

#include "base/float16.h"

namespace sluice::inline SLUICE_ISA {

/// The binary16 nearest to `value`, saturating: an infinite scale would make the whole block
/// infinite or NaN.
static inline std::uint16_t stored_scale(float value) noexcept {
  constexpr float kLargest = 65504.0f;
  return f32_to_f16(std::clamp(value, -kLargest, kLargest));
}

}  // namespace sluice::inline SLUICE_ISA
