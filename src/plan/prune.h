#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/gguf.h"

namespace sluice {

/// Takes layers out of a model: their tensors go, and those of later layers are numbered anew.
/// Metadata stays, as rules for types are asked about the whole model.
///
/// \param layers  ascending
/// \returns the indices of the tensors that stay, in the model as it was
/// \throws Error (usage) if the model has no such layer, or would have none left;
///         (input_format) if it does not tell how many it has
std::vector<std::size_t> prune_tensors(std::span<const std::uint32_t> layers, gguf::Header& model);

/// Takes layers out of a model's metadata: the number of layers, and arrays with a value for each.
void prune_metadata(std::span<const std::uint32_t> layers, gguf::Header& model);

}  // namespace sluice
