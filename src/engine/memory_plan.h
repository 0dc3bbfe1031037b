#pragma once

#include <cstddef>
#include <cstdint>

#include "sluice/streaming.h"

namespace sluice::engine {

/// What a work needs of memory, whatever the budget.
struct MemoryNeeds {
  int threads = 1;
  std::uint64_t smallest_unit = 0;  ///< bytes of input and result of the largest unit that cannot
                                    ///< be made smaller
  std::size_t inputs = 1;           ///< most ranges of a unit
  std::uint64_t scratch = 0;        ///< bytes that the operator allocates for each worker
  std::uint64_t beside = 0;         ///< bytes that the work allocates besides, once
  std::uint64_t buffer = 0;         ///< of a buffer for results of several units; a second one lets
                                    ///< the next such result begin before the last is taken
  std::uint64_t input_size = 0;     ///< bytes to read in all
  std::uint64_t output_size = 0;    ///< bytes to write in all; 0: nothing is written
  bool wandering_head = false;      ///< the inputs of a unit are far apart on one spindle
};

/// How the byte budget is spent. Everything is allocated once, before the first read: a fixed
/// number of slots, each with room for a unit's inputs and result, scratch for each worker, buffers
/// for results of several units, and the buffer that gathers output.
struct MemoryPlan {
  std::uint64_t unit_bytes = 0;  ///< most bytes of input and result that a unit may have
  std::size_t slot_bytes = 0;    ///< the same with the source's slack, in whole pages
  std::size_t slots = 0;
  std::size_t few_slots = 0;      ///< so many keep the workers busy, if the disk is fast
  std::size_t buffers = 0;        ///< of MemoryNeeds::buffer bytes
  std::size_t extents = 0;        ///< of the output buffer
  std::uint64_t total_bytes = 0;  ///< most that is held, with what counted before
};

/// Bytes that count against the budget already: with `memory_of_process` what the process holds
/// (metadata, code tables, and all else of a host), else nothing.
std::uint64_t held_memory(const StreamingOptions& options);

/// The smallest budget that plan_memory() accepts.
std::uint64_t least_memory(const MemoryNeeds& needs, std::uint64_t held);

/// The same as users are told it: whole MiB, which do for the next run too, whose process may hold a
/// little more.
std::uint64_t told_least(const MemoryNeeds& needs, std::uint64_t held);

/// Divides `budget` bytes among slots and workers.
/// \throws Error (memory_budget) that names the least budget
MemoryPlan plan_memory(const MemoryNeeds& needs, std::uint64_t budget, std::uint64_t held);

}  // namespace sluice::engine
