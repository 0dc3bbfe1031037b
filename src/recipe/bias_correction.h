#pragma once

#include <span>
#include <vector>

#include "sluice/gguf.h"

namespace sluice::recipe {

/// How much of least squares' shrinkage an encoder takes back in each tensor of a model, as
/// EncodeRows::bias_correction has it.
///
/// What shrinks in one layer is missing in all that follow, so decoded values are best unbiased, and
/// the first layers' a little more than that. Nothing follows the last layer and the output: their
/// noise reaches the probabilities as it is, and least squares has the least of it. So the correction
/// falls from the first layer to the last. Nor does noise average out where attention mixes the
/// values of many tokens: their common part, which the noise turns into a constant, is most of what
/// comes out. Found by measuring four trained models (two dense, two mixtures of experts), tensor
/// kind by tensor kind and layer by layer: bench/notes/scale_correction.md.
///
/// \param tensors  all of the model
/// \return one for each of `tensors`
std::vector<float> bias_corrections(std::span<const gguf::Tensor> tensors);

}  // namespace sluice::recipe
