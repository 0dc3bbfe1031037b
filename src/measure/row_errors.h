#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "linear/matrix.h"
#include "measure/row_sample.h"
#include "quantize/chunk_encoder.h"
#include "sluice/tensor_type.h"

namespace sluice::measure {

/// How the rows of a matrix are encoded, and by what their errors count.
struct RowsRequest {
  const linear::Rows& rows;
  std::span<const TensorType> types;
  std::span<const float> importance;  ///< [columns] as the run has it; empty: none
  std::span<const float> squares;     ///< [columns] mean squares of the inputs
  float bias_correction = 1;
  bool bf16 = false;  ///< weights are rounded to BF16 first
};

/// Sums over rows.
struct RowSums {
  std::vector<double> powers = {};           ///< of each row, in their order
  double power = 0;                          ///< of w_j^2 s_j, w: weights, s: squares of the inputs
  std::map<TensorType, double> errors = {};  ///< of (w_j - q_j)^2 s_j, q: what was encoded
};

/// Encodes rows in each of several types and sums up what they are off. One for each thread.
class RowErrors {
 public:
  explicit RowErrors(const EncoderSettings& settings) : settings_(settings) {}

  /// Adds rows to `sums`. \throws Error (input_value, interrupted)
  void add(const RowsRequest& request, const RowRun& run, RowSums& sums);

  /// Bytes that it holds, of rows so long.
  static std::uint64_t memory_bytes(std::uint64_t columns);

 private:
  void add_strip(const RowsRequest& request, std::size_t rows, RowSums& sums);

  const EncoderSettings settings_;
  std::vector<float> values_;
  std::vector<float> decoded_;
  std::vector<std::byte> blocks_;
};

}  // namespace sluice::measure
