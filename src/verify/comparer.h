#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sluice/compare.h"
#include "verify/pair_run.h"
#include "verify/tensor_pairs.h"

namespace sluice {

/// What a pair came to.
struct PairDifference {
  std::optional<Difference> difference;  ///< none if the type cannot be decoded
  std::optional<std::uint64_t> differing_bytes;
};

/// Streams all pairs, each of which has a source, and measures how far the tensor is from it.
/// \param run  is filled in
/// \throws Error (input_read, input_truncated, memory_budget, output_open, interrupted)
std::vector<PairDifference> compare_pairs(std::span<const TensorPair> pairs,
                                          const StreamingOptions& options, Observer& observer,
                                          PairRun& run);

}  // namespace sluice
