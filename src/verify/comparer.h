#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sluice/compare.h"
#include "verify/tensor_pairs.h"

namespace sluice {

struct ComparerOptions {
  int threads = 1;
  std::uint64_t memory = 0;
  Isa isa = Isa::portable;
};

/// What a pair came to.
struct PairDifference {
  std::optional<Difference> difference;  ///< none if the type cannot be decoded
  std::optional<std::uint64_t> differing_bytes;
};

/// Streams all pairs, each of which has a source, and measures how far the tensor is from it.
/// \param read_bytes  gets the bytes that were read
/// \throws Error (input_read, input_truncated, memory_budget)
std::vector<PairDifference> compare_pairs(std::span<const TensorPair> pairs,
                                          const ComparerOptions& options, Observer& observer,
                                          std::uint64_t& read_bytes);

}  // namespace sluice
