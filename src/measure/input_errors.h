#pragma once

#include <cstdint>
#include <span>

#include "base/team.h"
#include "linear/matrix.h"
#include "measure/encoded_matrix.h"
#include "measure/row_errors.h"
#include "measure/row_sample.h"

namespace sluice::measure {

/// A matrix, sampled rows of it, and tokens that it is multiplied by.
struct InputErrorsRequest {
  const linear::Rows& rows;
  std::span<const RowRun> runs;
  linear::ConstMatrix inputs;  ///< x [tokens, columns]
  std::span<const TensorType> types;
  Encoding encoding;
};

/// Sums over the sampled rows w and the tokens x of (w x)^2, and for each type of ((w - q) x)^2, q being
/// what was encoded; in the same order whatever the threads.
/// \throws Error (input_value, interrupted)
RowSums input_errors(const InputErrorsRequest& request, const EncoderSettings& settings,
                     Team& team);

/// Bytes that it takes meanwhile.
std::uint64_t input_errors_bytes(std::uint64_t columns, std::uint64_t tokens, bool with_feedback,
                                 int threads);

}  // namespace sluice::measure
