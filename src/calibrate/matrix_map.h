#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/matrix_bytes.h"
#include "calibrate/model_source.h"
#include "weights/bands.h"

namespace sluice::calibrate {

/// Which bytes of the files the matrices of a model's tensors are.
class MatrixMap {
 public:
  explicit MatrixMap(const ModelSource& model);

  const ModelSource& model() const { return model_; }

  /// The tensor's index in the model.
  std::optional<std::size_t> find(std::string_view tensor) const;

  const gguf::Tensor& tensor(std::size_t index) const { return model_.header.tensors[index]; }
  std::uint64_t columns(std::size_t tensor) const;
  std::uint64_t rows(std::size_t tensor) const;      ///< of a matrix
  std::uint64_t matrices(std::size_t tensor) const;  ///< product of the extents from the third on

  /// Where rows of a matrix are.
  std::vector<weights::Band> bands(const MatrixId& matrix, std::uint64_t first_row,
                                   std::uint64_t rows) const;
  /// Where all of them are.
  std::vector<weights::Band> bands(const MatrixId& matrix) const;

  /// The matrices of tensors in the order in which they are used: of neighbours that have equally
  /// many (a layer's experts) the first of each, then the second of each, and so on.
  std::vector<MatrixId> in_order_of_use(const std::vector<std::string>& tensors) const;

 private:
  ModelSource model_;
  std::map<std::string_view, std::size_t> by_name_;
};

}  // namespace sluice::calibrate
