#pragma once

#include <vector>

#include "checkpoint/folder.h"
#include "checkpoint/model.h"
#include "checkpoint/quantization.h"

namespace sluice::checkpoint {

/// The weights that the parts hold, each with what its codes are to be multiplied by; the names are
/// without what marks them as quantized (`_blocks`, `_packed`).
/// \param skipped  gets what no text model needs: vision, audio, scales of activations
/// \throws Error naming part and tensor. input_type: elements that are no weights. input_format: a
///         weight's scales are missing or do not fit, or there are scales of no weight.
std::vector<Stored> stored_tensors(const Folder& folder, const Quantization& quantization,
                                   std::vector<Skipped>& skipped);

}  // namespace sluice::checkpoint
