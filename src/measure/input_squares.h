#pragma once

#include <span>
#include <string>
#include <vector>

#include "imatrix/importance_matrix.h"
#include "measure/model_parts.h"

namespace sluice::measure {

/// Mean squares of what a matrix is multiplied by, under which its errors count.
class InputSquares {
 public:
  /// \param imatrix  null: none
  /// What is referred to outlives this.
  InputSquares(const gguf::Header& model, const ImportanceMatrix* imatrix, Numbers norms);

  /// Fills in `out` [columns]: the importance matrix's row, or what a norm gives, whose numbers squared
  /// are the mean squares of its result if all columns are alike before it, or ones.
  void read(const gguf::Tensor& tensor, const ImportanceMatrix::Entry* importance,
            std::uint64_t matrix, std::span<float> out) const;

  /// Whether what read() gives are not ones.
  bool known(const gguf::Tensor& tensor, const ImportanceMatrix::Entry* importance) const;

  /// The shares of its result that a tensor's matrices have: of experts by the tokens that they saw.
  std::vector<double> shares(const gguf::Tensor& tensor,
                             const ImportanceMatrix::Entry* importance) const;

 private:
  const gguf::Header& model_;
  const ImportanceMatrix* const imatrix_;
  const Numbers norms_;

  std::vector<float> norm_of(const gguf::Tensor& tensor) const;
};

}  // namespace sluice::measure
