#pragma once

#include <string_view>

#include "checkpoint/quantization.h"

namespace sluice::checkpoint {

/// What a stored tensor is that no text model has, as in "tensors that scale activations"; empty if it
/// may be one of such a model's.
std::string_view kind_of_skipped(std::string_view name, Quantization::Method method);

}  // namespace sluice::checkpoint
