#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imatrix/importance_matrix.h"
#include "plan/output_layout.h"
#include "recipe/choose_types.h"
#include "sluice/codec.h"
#include "sluice/gguf.h"
#include "sluice/model_edits.h"
#include "sluice/recipe.h"
#include "sluice/split.h"
#include "weights/bands.h"

namespace sluice {

/// How a tensor's weights get from the input to the output.
enum class Passage : std::uint8_t {
  moved,     ///< they lie there as they are to be: their bytes pass unchanged
  repacked,  ///< MXFP4 as checkpoints have it becomes GGUF's, bit for bit
  encoded,   ///< decoded and encoded
};

/// One tensor's way from the input files to the output.
struct PlannedTensor {
  std::string name;  ///< in the output; of a pruned model it may differ from the input
  std::vector<std::uint64_t> shape;  ///< 1 to 4 extents, row length first
  TensorType source;                 ///< what the input is nearest to
  std::string stored_as;             ///< how the input holds it, as "f8_e4m3 128x128"
  TensorType type;
  TensorType asked;  ///< the rule's, in whose place `type` is where rows do not fit it
  std::string rule;  ///< why this type
  Decider decider = Decider::mix;  ///< who decided
  float bias_correction = 1;       ///< see EncodeRows
  std::size_t model_tensor = 0;    ///< index in the input model
  std::size_t input_part = 0;      ///< the input file that it begins in
  std::uint64_t input_size = 0;    ///< bytes of weights and their factors
  std::uint64_t source_hash = 0;   ///< of which bytes it is made, and how
  bool unchanged = false;          ///< no weight becomes another
  Passage passage = Passage::encoded;
  std::size_t output_part = 0;      ///< which output file
  std::uint64_t output_offset = 0;  ///< in the output's address space
  std::uint64_t output_size = 0;
  std::uint64_t output_padding = 0;                     ///< zeros that follow
  const ImportanceMatrix::Entry* importance = nullptr;  ///< null: none is known
  bool lacks_importance = false;  ///< none is known where the type, or who gave a matrix, wants one

  std::uint64_t row_elements() const { return shape[0]; }
  /// Weights that are stored together: those of a row, or of a group of rows, which a run's pieces have
  /// as one.
  std::uint64_t joint_elements() const { return info(type).rows * row_elements(); }
  std::uint64_t elements() const;
  std::uint64_t rows_per_expert() const { return shape.size() > 1 ? shape[1] : 1; }
  std::uint64_t expert_elements() const { return row_elements() * rows_per_expert(); }
  std::uint64_t experts() const;
};

/// Everything decided before a byte moves. All block formats have a fixed rate, so every byte of
/// the output has its place now, and chunks can be written in any order.
struct Plan {
  std::vector<OutputPart> parts;                  ///< the output's files
  std::vector<PlannedTensor> tensors;             ///< in the output's order
  const weights::Weights* weights = nullptr;      ///< what the tensors are made of
  std::vector<weights::Wanted> wanted;            ///< how each of the tensors is read
  std::vector<std::uint32_t> missing_importance;  ///< very-low-bit tensors without a row
  std::vector<std::string> notes;                 ///< sentences that the user should see
  std::string substituted;                        ///< see substitution_text()
  std::uint64_t input_size = 0;                   ///< bytes to read, with factors
  std::uint64_t band_bytes = 0;    ///< of the largest band that cannot be smaller, and its result
  std::uint64_t matrix_bytes = 0;  ///< of the largest result that comes in columns
  std::uint64_t output_size = 0;   ///< of all files together

  /// Where the output's address space ends.
  std::uint64_t output_end() const { return parts.back().end(); }
};

/// A text that weights are encoded for, see CalibrationOptions.
struct CalibrationFacts {
  std::string files;  ///< their names
  std::uint64_t tokens = 0;
  std::uint64_t sequence_length = 0;
};

/// What a plan is made from.
struct PlanRequest {
  RecipeOptions recipe;
  SplitOptions split = {};
  ModelEdits edits = {};
  bool hide_imatrix = false;
  bool allow_requantize = false;
  Effort effort = Effort::best;
  const ImportanceMatrix* imatrix = nullptr;  ///< outlives the plan; null: none
  std::optional<CalibrationFacts> calibration = {};
};

/// Plans the conversion of a model.
///
/// \param model      merged header: metadata of the first part, tensors of all
/// \param weights    with one source for each of `model.tensors`; outlives the plan
/// \param published  a checkpoint as it was published: there is no better source, however its
///                   weights are coded
/// \param file       name of the first part, for messages
/// \throws Error (input_type, imatrix_length, usage)
Plan make_plan(const PlanRequest& request, const gguf::Header& model,
               const weights::Weights& weights, bool published, const std::string& file);

/// XXH3 of every decision in the plan: two plans with equal hashes make the same bytes of the same
/// input.
std::uint64_t hash_of(const Plan& plan);

/// Refuses a plan that leaves very-low-bit tensors without importance values.
/// \throws Error (imatrix_missing) that lists every such tensor
void require_importance(const Plan& plan, const ImportanceMatrix* imatrix);

}  // namespace sluice
