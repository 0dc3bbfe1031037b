#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/work.h"
#include "sluice/observer.h"
#include "sluice/streaming.h"
#include "verify/tensor_pairs.h"

namespace sluice {

/// What a run over pairs took, and how it ran.
struct PairRun {
  std::uint64_t read_bytes = 0;
  std::uint64_t cached_bytes = 0;
  std::string io;
  bool shared_spindle = false;
};

/// Streams all pairs through an operator.
/// \param scratch  bytes that the operator has allocated for each worker
/// \param held     see engine::held_memory(): before that
/// \throws Error (input_read, input_truncated, memory_budget, output_open, interrupted), or what the
///         operator throws
PairRun run_pairs(std::span<const TensorPair> pairs, engine::Operator& operation,
                  std::uint64_t scratch, std::uint64_t held, const StreamingOptions& options,
                  Observer& observer);

}  // namespace sluice
