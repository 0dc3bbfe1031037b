#pragma once

#include "checkpoint/found_entry.h"
#include "checkpoint/quantization.h"

namespace sluice::checkpoint {

/// How a tensor of factors covers a tensor of weights: one for each block, group, row or matrix, or
/// one for all.
/// \throws Error (input_format) naming the factors if they do not fit
Scales fit_scales(const Stored& weights, const FoundEntry& factors,
                  const Quantization& quantization);

}  // namespace sluice::checkpoint
