// How a budget is spent: never more than there is, and on all that is needed.

#include "engine/memory_plan.h"

#include <gtest/gtest.h>

#include "io/output_buffer.h"
#include "sluice/error.h"

namespace sluice::engine {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// As of a transposed expert of 5120 x 16384: bands of 256 columns, 9.2 MiB of rows for each of two.
MemoryNeeds needs_of_matrices() {
  return {.threads = 2,
          .smallest_unit = 8 * kMiB,
          .scratch = kMiB,
          .beside = 3 * kMiB,
          .buffer = 19 * kMiB,
          .input_size = 10000 * kMiB,
          .output_size = 2000 * kMiB};
}

std::uint64_t spent(const MemoryNeeds& needs, const MemoryPlan& memory) {
  return memory.slots * memory.slot_bytes + memory.extents * io::OutputBuffer::kExtent +
         memory.buffers * needs.buffer + needs.beside +
         static_cast<std::uint64_t>(needs.threads) * needs.scratch;
}

TEST(MemoryPlan, EveryBudgetIsKeptAndTheLeastDoes) {
  const MemoryNeeds needs = needs_of_matrices();
  const std::uint64_t least = least_memory(needs, kMiB);
  std::size_t buffers = 1;
  for (std::uint64_t budget = least; budget < 1024 * kMiB; budget += 7 * kMiB) {
    const MemoryPlan memory = plan_memory(needs, budget, kMiB);
    EXPECT_LE(spent(needs, memory) + kMiB, budget);
    EXPECT_LE(memory.total_bytes, budget);
    EXPECT_GE(memory.slots, 2u);
    EXPECT_GE(memory.unit_bytes, needs.smallest_unit);
    EXPECT_GE(memory.buffers, buffers) << "more memory is never less";
    buffers = memory.buffers;
  }
  EXPECT_EQ(buffers, 2u);
  EXPECT_THROW(plan_memory(needs, least - 1, kMiB), Error);
}

TEST(MemoryPlan, WhatIsNeededBesidesIsOfTheLeast) {
  MemoryNeeds needs = needs_of_matrices();
  const std::uint64_t least = least_memory(needs, 0);
  needs.buffer += kMiB;
  EXPECT_EQ(least_memory(needs, 0), least + kMiB);
  needs.beside += kMiB;
  EXPECT_EQ(least_memory(needs, 0), least + 2 * kMiB);
  needs.buffer = 0;
  EXPECT_EQ(plan_memory(needs, least, 0).buffers, 0u);
}

}  // namespace
}  // namespace sluice::engine
