#pragma once

#include <string>
#include <vector>

#include "sluice/gguf.h"
#include "sluice/recipe.h"

namespace sluice {

/// What rules ask about a run.
struct RecipeContext {
  bool has_imatrix = true;  ///< some rules choose better types without one
  /// llama.cpp's mix meets the tensors in the file's order, as with `--keep-split` there, and not
  /// by layer.
  bool in_file_order = false;
  /// The model is a checkpoint as it was published: of its weights in blocks, as MXFP4, there is no
  /// better source, and types of more bits hold no more.
  bool published = false;
};

/// What an importance row is to a tensor.
enum class ImportanceNeed {
  none,    ///< it is not quantized, or one of those for which matrices have no rows
  useful,  ///< it has less error
  vital,   ///< its very-low-bit type is useless without
};

/// Who decided on a tensor's type.
enum class Decider {
  mix,   ///< the file type: its mix, or its own type for all
  user,  ///< an option or a rule for the tensor, its kind or its name
  kept,  ///< nobody: it keeps its type, whatever is asked for
};

/// What a rule decided for one tensor.
struct TypeChoice {
  TensorType type;
  std::string rule;  ///< why, in a few words: "default", "output: no row rule", …
  ImportanceNeed importance;
  Decider decider = Decider::mix;
  TensorType asked =
      TensorType::f32;  ///< what `type` stands in for, where rows are no whole blocks of it
};

/// What was decided for a model.
struct ChosenTypes {
  std::vector<TypeChoice> tensors;  ///< in the order of the model's
  std::vector<std::string> notes;   ///< what the user may not expect: a rule that matches nothing
};

/// Chooses the type of each tensor of a model, in the order in which the peer's program meets them
/// (some rules count the tensors of a kind).
///
/// \param model    metadata (architecture, layers, heads, experts) and all tensors of all parts
/// \param context  what the rules ask besides
/// \throws Error (usage, input_format) if an option is wrong, or no type fits
ChosenTypes choose_types(const RecipeOptions& options, const gguf::Header& model,
                         RecipeContext context = {});

}  // namespace sluice
