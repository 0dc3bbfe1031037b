#pragma once

#include <cstdint>
#include <span>

#include "sluice/mix.h"
#include "sluice/mix_target.h"
#include "sluice/recipe.h"

namespace sluice::mix {

/// What of an output does not depend on types.
struct OutputFacts {
  std::uint64_t header_bytes = 0;  ///< of all files: see sluice::header_bytes
  std::uint64_t alignment = 32;    ///< of tensors
  std::uint64_t weights = 0;       ///< of all tensors, for bits of a weight
};

/// Chooses among the types that the tensors of `choice` have, and fills in what is chosen, its bytes and
/// divergence, and the frontier: points of which each is half a percent larger than the one before.
/// \throws Error (usage) if the target is no one size; as choose, places_of and TensorItems
void choose_for(const MixTarget& target, const OutputFacts& output, MixChoice& choice);

/// The options with what was chosen: a rule for each tensor that neither is kept nor has one of the user's,
/// which come after, and, of the file types that have blocks, the one that most of the weights are of.
RecipeOptions recipe_with(const RecipeOptions& options, std::span<const TensorChoice> tensors);

}  // namespace sluice::mix
