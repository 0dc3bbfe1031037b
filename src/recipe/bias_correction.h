#pragma once

#include <span>
#include <vector>

#include "sluice/codec.h"
#include "sluice/gguf.h"

namespace sluice::recipe {

/// How much of least squares' shrinkage an encoder takes back in each tensor of a model.
///
/// What shrinks in one layer is missing in all that follow, so nearly everywhere decoded values are
/// best unbiased. Nothing follows the last layer and the output: their noise reaches the
/// probabilities as it is, and least squares has the least of it. Nor does it average out where
/// attention mixes the values of many tokens: their common part, which the noise turns into a
/// constant, is most of what comes out. Found by measuring two trained models (one dense, one a
/// mixture of experts), tensor kind by tensor kind and layer by layer: bench/notes/iq1_m.md.
///
/// \param tensors  all of the model
/// \return one for each of `tensors`
std::vector<BiasCorrection> bias_corrections(std::span<const gguf::Tensor> tensors);

}  // namespace sluice::recipe
