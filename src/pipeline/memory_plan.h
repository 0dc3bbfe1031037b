#pragma once

#include <cstddef>
#include <cstdint>

#include "plan/plan.h"

namespace sluice {

/// How the byte budget is spent. Everything is allocated once, before the first read: a fixed
/// number of slots, each with room for a chunk's input and output, scratch for each worker, and the
/// buffer that gathers output.
struct MemoryPlan {
  std::uint64_t chunk_bytes = 0;  ///< most bytes of input and output that a chunk may have
  std::size_t slot_bytes = 0;     ///< the same with the source's slack, in whole pages
  std::size_t slots = 0;
  std::size_t extents = 0;              ///< of the output buffer
  std::size_t tile_elements = 0;        ///< weights that a worker decodes and encodes at a time
  std::size_t importance_elements = 0;  ///< the longest row
  std::uint64_t total_bytes = 0;        ///< most that the process holds, with what it held before

  std::size_t scratch_bytes(bool measure_error) const {
    return (tile_elements * (measure_error ? 2 : 1) + importance_elements) * sizeof(float);
  }
};

/// The smallest budget that plan_memory() accepts for this plan.
std::uint64_t least_memory(const Plan& plan, int threads, bool measure_error, std::uint64_t held);

/// Divides `budget` bytes among slots and `threads` workers.
/// \param held  anonymous bytes that the process has already (metadata, code tables)
/// \throws Error (memory_budget) that names the least budget
MemoryPlan plan_memory(const Plan& plan, int threads, bool measure_error, std::uint64_t budget,
                       std::uint64_t held);

}  // namespace sluice
