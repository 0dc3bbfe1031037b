#pragma once

#include <span>

#include "sluice/observer.h"
#include "sluice/verify.h"
#include "verify/tensor_pairs.h"

namespace sluice {

struct VerifierOptions {
  int threads = 1;
  std::uint64_t memory = 0;
  Isa isa = Isa::portable;
};

/// Streams all tensors, with their sources where they have one, through `threads` checkers, in the
/// order in which the output's lie on the disk. Fills in the report's tensors and read bytes, and
/// adds what is wrong to the findings.
/// \throws Error (input_read, input_truncated, memory_budget)
void check_tensors(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
                   const VerifierOptions& options, Observer& observer, FindingList& findings,
                   VerifyReport& report);

}  // namespace sluice
