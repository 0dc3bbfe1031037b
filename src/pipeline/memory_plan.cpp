#include "pipeline/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "io/output_buffer.h"
#include "io/source.h"
#include "sluice/error.h"

namespace sluice {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// What the run needs beyond buffers: stacks that threads touch, the flow graph, allocator slack.
// Measured: 0.3 MiB with one worker, 1.7 MiB with 32; twice that and some for other allocators.
constexpr std::uint64_t kRuntimeBytes = 4 * kMiB;
constexpr std::uint64_t kRuntimeBytesPerThread = kMiB / 8;

// A chunk of 4 MiB takes 40 ms on a disk of 100 MB/s, four times as long as a seek, so even where
// something else moves the head between two reads, most of the time goes into reading. Larger ones
// only make the last chunk's work last longer.
constexpr std::uint64_t kLargestChunk = 4 * kMiB;

// Two for each worker, so that one is ready when the other is done; two that are being read, so
// that the disk never waits; two that are being written.
std::uint64_t wanted_slots(int threads) {
  return 2 * static_cast<std::uint64_t>(threads) + 4;
}

// Output is gathered in a quarter of what there is. Where reads and writes take turns on one
// spindle, each turn costs two seeks: 28 MiB of IQ1_M, a quarter of 128M, come of 250 MiB of input,
// which is 2.8 s of a disk of 100 MB/s against 20 ms of seeks. More than 64 MiB would only be work
// to lose, see OutputWriter.
constexpr std::uint64_t kOutputShare = 4;
constexpr std::uint64_t kLargestOutputBuffer = 64 * kMiB;

// Chunks that wait to be encoded or taken over never need more: it is seconds of a hard disk, and
// more memory than that would only be touched for nothing.
constexpr std::uint64_t kMostInSlots = 512 * kMiB;

// 128 KiB of F32: with its blocks it stays in the second-level cache between decoding and encoding.
constexpr std::uint64_t kTileElements = 32768;

struct Shapes {
  std::uint64_t smallest_chunk = 0;  // the largest of all tensors' smallest chunks
  std::uint64_t longest_row = 0;     // of rows that are encoded
};

Shapes shapes_of(const Plan& plan) {
  Shapes shapes;
  for (const PlannedTensor& tensor : plan.tensors) {
    shapes.smallest_chunk = std::max(shapes.smallest_chunk, smallest_chunk_bytes(tensor));
    if (!tensor.copied()) {
      shapes.longest_row = std::max(shapes.longest_row, tensor.row_elements());
    }
  }
  return shapes;
}

// A slot's input buffer has the source's slack, and both its buffers start on a page.
std::uint64_t slot_bytes(std::uint64_t chunk) {
  return align_up(chunk, 4096) + io::Source::kBufferSlack + 2 * 4096;
}

constexpr std::uint64_t kExtent = io::OutputBuffer::kExtent;
constexpr std::uint64_t kLeastExtents = io::OutputBuffer::kLeastExtents;

/// Memory that does not depend on the budget.
struct Needs {
  Shapes shapes;
  MemoryPlan scratch{};     // its sizes
  std::uint64_t fixed = 0;  // without slots and output buffer
  std::uint64_t least = 0;  // with the fewest of both
};

Needs needs_of(const Plan& plan, int threads, bool measure_error, std::uint64_t held) {
  Needs needs{.shapes = shapes_of(plan)};
  // Whole rows, as many as fit the tile, at least one.
  needs.scratch.tile_elements = std::max(kTileElements, needs.shapes.longest_row);
  needs.scratch.importance_elements = needs.shapes.longest_row;
  const std::uint64_t workers = static_cast<std::uint64_t>(threads);
  needs.fixed = held + kRuntimeBytes + workers * kRuntimeBytesPerThread +
                workers * needs.scratch.scratch_bytes(measure_error);
  needs.least = needs.fixed + kLeastExtents * kExtent + 2 * slot_bytes(needs.shapes.smallest_chunk);
  return needs;
}

}  // namespace

std::uint64_t least_memory(const Plan& plan, int threads, bool measure_error, std::uint64_t held) {
  return needs_of(plan, threads, measure_error, held).least;
}

MemoryPlan plan_memory(const Plan& plan, int threads, bool measure_error, std::uint64_t budget,
                       std::uint64_t held) {
  const Needs needs = needs_of(plan, threads, measure_error, held);
  if (budget < needs.least) {
    throw Error(ErrorCode::memory_budget,
                fmt::format("--memory {}M is too small for this model and {} threads: the least "
                            "is {}M",
                            budget / kMiB, threads, (needs.least + kMiB - 1) / kMiB),
                {.cure = "Raise --memory or use fewer threads"});
  }
  MemoryPlan memory = needs.scratch;
  const std::uint64_t spare = budget - needs.least;
  memory.extents = static_cast<std::size_t>(
      kLeastExtents +
      std::min(spare / kOutputShare, kLargestOutputBuffer - kLeastExtents * kExtent) / kExtent);
  const std::uint64_t available = budget - needs.fixed - memory.extents * kExtent;
  const std::uint64_t even_share = align_down(available / wanted_slots(threads), 4096);
  const std::uint64_t overhead = slot_bytes(0);
  memory.chunk_bytes =
      std::max(needs.shapes.smallest_chunk,
               std::min(kLargestChunk, even_share - std::min(even_share, overhead)));
  memory.slot_bytes = slot_bytes(memory.chunk_bytes);
  memory.slots =
      std::min(available, std::max(kMostInSlots, 2 * memory.slot_bytes)) / memory.slot_bytes;
  // A small model fills neither all slots nor the output buffer.
  memory.total_bytes =
      needs.fixed + std::min(memory.extents * kExtent, align_up(plan.output_size, kExtent)) +
      std::min<std::uint64_t>(memory.slots * memory.slot_bytes,
                              plan.input_size + plan.output_size + 2 * memory.slot_bytes);
  return memory;
}

}  // namespace sluice
