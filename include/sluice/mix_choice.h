#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/recipe.h"
#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// A type that a tensor could have.
struct TypeCost {
  TensorType type;
  std::uint64_t bytes = 0;  ///< of the tensor in the output
  double divergence =
      0;  ///< what it adds, as foretold, to the mean KL divergence of the model, in nats
};

/// What is known of a tensor, and what was chosen.
struct TensorChoice {
  std::string name;
  std::vector<TypeCost> types;  ///< by rising bytes, one or more
  std::size_t chosen = 0;       ///< in `types`
  std::string rule = {};        ///< the user's, that decided, or why it is kept; else empty
  bool kept = false;            ///< it has its type whatever is asked for, and needs no rule
};

/// A file of some size, and how far it is from the model.
struct MixPoint {
  std::string name;  ///< of a file type's default mix; empty: a best choice
  std::uint64_t bytes = 0;
  double divergence = 0;
};

/// The best mix that measurements know of for a size.
struct MixChoice {
  std::vector<TensorChoice> tensors;  ///< in the order of the model's
  std::uint64_t bytes = 0;            ///< of the output
  double divergence = 0;              ///< foretold for it
  std::vector<MixPoint> frontier;     ///< by rising bytes: from the smallest choice to the largest
  std::vector<MixPoint> mixes;        ///< of file types, with the same measurements
  std::string measured;               ///< with what, in words: "with TEXT (4096 tokens)"
  std::string file;                   ///< of the measurements
  std::vector<std::string> notes = {};  ///< what the user may not expect
  RecipeOptions recipe;  ///< the options' own, with a rule for each tensor that had a choice
};

}  // namespace sluice

#pragma GCC visibility pop
