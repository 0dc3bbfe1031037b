#pragma once

// The scale that is stored for a block's codes.
//
// A block's codes come with the scale of least squares, sum w x y / sum w y^2, y being what they
// stand for at scale 1. It shrinks: along the true values the decoded ones are too small on
// average. The unbiased scale, sum w x^2 / sum w x y, does not, and has more noise. What a model
// wants lies between them, nearer to the second: EncodeRows::bias_correction says where.

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// What to multiply a least-squares scale by.
/// \param unbiased  the unbiased scale as a multiple of that of least squares: 1 or more
static inline float correct_bias(float unbiased, BiasCorrection correction) noexcept {
  const float half = __builtin_sqrtf(unbiased);
  switch (correction) {
    case BiasCorrection::none:
      return 1;
    case BiasCorrection::half:
      return half;
    case BiasCorrection::three_quarters:
      return __builtin_sqrtf(unbiased * half);
    case BiasCorrection::full:
      break;
  }
  return unbiased;
}

}  // namespace sluice::inline SLUICE_ISA
