#pragma once

// The scale that is stored for a block's codes.
//
// A block's codes come with the scale of least squares, sum w x y / sum w y^2, y being what they
// stand for at scale 1. It shrinks: along the true values the decoded ones are too small on
// average. The unbiased scale, sum w x^2 / sum w x y, does not, and has more noise. What a model
// wants lies near the second, a little to this side or beyond: EncodeRows::bias_correction says
// where.

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// What to multiply a least-squares scale by.
/// \param unbiased  the unbiased scale as a multiple of that of least squares: 1 or more
static inline float correct_bias(float unbiased, float bias_correction) noexcept {
  return 1 + bias_correction * (unbiased - 1);
}

}  // namespace sluice::inline SLUICE_ISA
