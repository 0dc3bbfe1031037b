#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imatrix/importance_matrix.h"
#include "io/file.h"
#include "plan/plan.h"
#include "sluice/gguf.h"
#include "verify/findings.h"

namespace sluice {

/// One model: its files, and where each tensor lies in them.
struct ModelView {
  std::span<const io::File> parts;
  std::span<const gguf::Tensor> tensors;
  std::span<const TensorLocation> locations;  ///< one for each tensor
};

/// A tensor of the output and what it was made from.
struct TensorPair {
  const gguf::Tensor* tensor = nullptr;
  const io::File* file = nullptr;
  std::uint64_t offset = 0;  ///< in the file

  const gguf::Tensor* source = nullptr;  ///< null: nothing to compare with
  const io::File* source_file = nullptr;
  std::uint64_t source_offset = 0;
  const ImportanceMatrix::Entry* importance = nullptr;  ///< null: none is known

  bool copied() const { return source != nullptr && source->type == tensor->type; }
  std::uint64_t elements() const { return tensor->elements(); }
  std::uint64_t row_elements() const { return tensor->row_elements(); }
  std::uint64_t rows_per_expert() const { return tensor->shape.size() > 1 ? tensor->shape[1] : 1; }
  std::uint64_t expert_elements() const { return row_elements() * rows_per_expert(); }
  std::uint64_t experts() const { return elements() / expert_elements(); }
};

/// Pairs the output's tensors, in its order, with the source's by name. Tensors that only one has
/// and shapes that differ are findings.
/// \param against  null: nothing is compared
/// \param imatrix  may be null
/// \throws Error (imatrix_length, input_type)
std::vector<TensorPair> pair_tensors(const ModelView& output, const ModelView* against,
                                     const ImportanceMatrix* imatrix, FindingList& findings);

}  // namespace sluice
