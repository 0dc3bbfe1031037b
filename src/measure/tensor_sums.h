#pragma once

#include <vector>

#include "measure/measurements.h"
#include "measure/row_errors.h"

namespace sluice::measure {

/// Puts together what the sampled rows of a tensor's matrices came to.
class TensorSums {
 public:
  /// \param rows  of each matrix, all
  explicit TensorSums(std::uint64_t rows) : rows_(static_cast<double>(rows)) {}

  /// \param sums   of the same sampled rows of each matrix
  /// \param share  that the matrix has in what the tensor gives
  void add(const RowSums& sums, double share);

  /// Lets the matrices that were added stand for all. \param shares  sum of the shares of all
  void scale_to(double shares);

  /// Sets powers, and the errors of the types that were measured.
  void put_into(TensorMeasures& measures) const;

 private:
  const double rows_;
  double shares_ = 0;
  double power_ = 0;
  std::map<TensorType, double> errors_;
  std::vector<double> row_powers_;  // of all matrices together
};

}  // namespace sluice::measure
