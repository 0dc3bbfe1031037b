#include "engine/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "base/process_memory.h"
#include "io/output_buffer.h"
#include "io/source.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice::engine {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kPage = 4096;

// What the run needs beyond buffers: stacks that threads touch, the flow graph, allocator slack.
// Measured: 0.3 MiB with one worker, 1.7 MiB with 32; twice that and some for other allocators.
constexpr std::uint64_t kRuntimeBytes = 4 * kMiB;
constexpr std::uint64_t kRuntimeBytesPerThread = kMiB / 8;

// A unit of 4 MiB takes 40 ms on a disk of 100 MB/s, four times as long as a seek, so even where
// something else moves the head between two reads, most of the time goes into reading. Larger ones
// only make the last unit's work last longer. Where the head goes to and fro between the inputs of
// each unit, twice as much keeps four fifths of the disk's rate; more would make a stopped run wait
// longer for the reads under way. With all that goes with it, a unit fills whole huge pages.
constexpr std::uint64_t kLargestSlot = 4 * kMiB;
constexpr std::uint64_t kLargestOfWanderingHead = 8 * kMiB;

// Two for each worker, so that one is ready when the other is done; two that are being read, so
// that the disk never waits; two that are being written.
std::uint64_t wanted_slots(const MemoryNeeds& needs) {
  return 2 * static_cast<std::uint64_t>(needs.threads) + 4;
}

// Output is gathered in a quarter of what there is. Where reads and writes take turns on one
// spindle, each turn costs two seeks: 28 MiB of IQ1_M, a quarter of 128M, come of 250 MiB of input,
// which is 2.8 s of a disk of 100 MB/s against 20 ms of seeks. More than 64 MiB would only be work
// to lose, see OutputWriter.
constexpr std::uint64_t kOutputShare = 4;
constexpr std::uint64_t kLargestOutputBuffer = 64 * kMiB;

// Units that wait to be worked on or taken over never need more: it is seconds of a hard disk, and
// more memory than that would only be touched for nothing.
constexpr std::uint64_t kMostInSlots = 512 * kMiB;

constexpr std::uint64_t kExtent = io::OutputBuffer::kExtent;

// The input buffers have the source's slack, and they and the result's start on a page.
std::uint64_t slot_bytes(const MemoryNeeds& needs, std::uint64_t unit) {
  return align_up(unit, kPage) + needs.inputs * (io::Source::kBufferSlack + kPage) + kPage;
}

std::size_t least_extents(const MemoryNeeds& needs) {
  return needs.output_size > 0 ? io::OutputBuffer::kLeastExtents : 0;
}

std::size_t extents(const MemoryNeeds& needs, std::uint64_t spare) {
  const std::size_t least = least_extents(needs);
  if (least == 0) return 0;
  return least +
         static_cast<std::size_t>(
             std::min(spare / kOutputShare, kLargestOutputBuffer - least * kExtent) / kExtent);
}

// Without slots, output buffer and a second buffer for results of several units.
std::uint64_t fixed_bytes(const MemoryNeeds& needs, std::uint64_t held) {
  const auto workers = static_cast<std::uint64_t>(needs.threads);
  return held + kRuntimeBytes + workers * (kRuntimeBytesPerThread + needs.scratch) + needs.beside +
         needs.buffer;
}

// A second one only where slots do not suffer by it.
std::size_t buffers(const MemoryNeeds& needs, std::uint64_t available) {
  if (needs.buffer == 0) return 0;
  const std::uint64_t slots = wanted_slots(needs) * slot_bytes(needs, needs.smallest_unit);
  return available >= needs.buffer + slots ? 2 : 1;
}

std::uint64_t most_in_slots(const MemoryNeeds& needs, std::uint64_t slot) {
  // Where nothing is written, nothing holds units up for longer than a worker takes.
  if (needs.output_size == 0) return wanted_slots(needs) * slot;
  return std::max(kMostInSlots, 2 * slot);
}

}  // namespace

std::uint64_t held_memory(const StreamingOptions& options) {
  return options.memory_of_process ? anonymous_bytes() : 0;
}

std::uint64_t least_memory(const MemoryNeeds& needs, std::uint64_t held) {
  return fixed_bytes(needs, held) + least_extents(needs) * kExtent +
         2 * slot_bytes(needs, needs.smallest_unit);
}

std::uint64_t told_least(const MemoryNeeds& needs, std::uint64_t held) {
  const std::uint64_t varies = held > 0 ? kMiB / 4 : 0;
  return align_up(least_memory(needs, held) + varies, kMiB);
}

MemoryPlan plan_memory(const MemoryNeeds& needs, std::uint64_t budget, std::uint64_t held) {
  const std::uint64_t least = least_memory(needs, held);
  if (budget < least) {
    throw Error(ErrorCode::memory_budget,
                fmt::format("--memory of {} is too small for this model and {}: the least is {}M",
                            bytes_text(static_cast<double>(budget)),
                            counted(static_cast<std::uint64_t>(needs.threads), "thread"),
                            told_least(needs, held) / kMiB),
                {.cure = "Raise --memory or use fewer threads"});
  }
  MemoryPlan memory;
  memory.extents = extents(needs, budget - least);
  std::uint64_t fixed = fixed_bytes(needs, held);
  memory.buffers = buffers(needs, budget - fixed - memory.extents * kExtent);
  if (memory.buffers > 1) fixed += needs.buffer;
  const std::uint64_t available = budget - fixed - memory.extents * kExtent;
  const std::uint64_t even_share = align_down(available / wanted_slots(needs), kPage);
  const std::uint64_t overhead = slot_bytes(needs, 0);
  const std::uint64_t slot =
      std::min(needs.wandering_head ? kLargestOfWanderingHead : kLargestSlot, even_share);
  memory.unit_bytes = std::max(needs.smallest_unit, slot - std::min(slot, overhead));
  memory.slot_bytes = slot_bytes(needs, memory.unit_bytes);
  memory.slots = std::min(available, most_in_slots(needs, memory.slot_bytes)) / memory.slot_bytes;
  memory.few_slots = wanted_slots(needs);
  // A small model fills neither all slots nor the output buffer.
  memory.total_bytes =
      fixed + std::min(memory.extents * kExtent, align_up(needs.output_size, kExtent)) +
      std::min<std::uint64_t>(memory.slots * memory.slot_bytes,
                              needs.input_size + needs.output_size + 2 * memory.slot_bytes);
  return memory;
}

}  // namespace sluice::engine
