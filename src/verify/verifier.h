#pragma once

#include <span>

#include "sluice/observer.h"
#include "sluice/verify.h"
#include "verify/tensor_pairs.h"

namespace sluice {

/// Streams all tensors, with their sources where they have one, past checkers. Fills in what the
/// report says of tensors and of the run, and adds what is wrong to the findings.
/// \throws Error (input_read, input_truncated, memory_budget, output_open, interrupted)
void check_tensors(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
                   const StreamingOptions& options, Observer& observer, FindingList& findings,
                   VerifyReport& report);

}  // namespace sluice
