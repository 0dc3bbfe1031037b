#include "verify/pair_run.h"

#include <algorithm>
#include <optional>
#include <stop_token>
#include <tuple>
#include <vector>

#include "base/threads.h"
#include "engine/input.h"
#include "engine/memory_plan.h"
#include "engine/monitor.h"
#include "engine/stream.h"
#include "io/spindle.h"

namespace sluice {
namespace {

// Every type's block divides this.
constexpr std::uint64_t kAtomElements = 256;

// The least bytes of both that a chunk of the pair can have.
std::uint64_t smallest_chunk_bytes(const TensorPair& pair) {
  return byte_size(pair.type(), kAtomElements) +
         (pair.source == nullptr ? 0 : byte_size(pair.source_type(), kAtomElements));
}

std::vector<const io::File*> files_of(std::span<const TensorPair> pairs) {
  std::vector<const io::File*> files;
  for (const TensorPair& pair : pairs) {
    files.push_back(pair.file);
    if (pair.source != nullptr) files.push_back(pair.source_file);
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

/// Walks through the chunks of all pairs, in the order in which the outputs' tensors lie on the
/// disk. A chunk is whole blocks of one expert: of the output (its first input) and, if the pair
/// has one, of the source (its second). Unit::tensor is the pair's index.
class PairCursor final : public engine::Producer {
 public:
  /// No chunk has more than `chunk_bytes` of both, unless so many blocks as belong together have.
  PairCursor(std::span<const TensorPair> pairs, std::uint64_t chunk_bytes);

  std::optional<engine::Unit> next(std::stop_token ended) override;

  /// The files that the chunks' inputs are of.
  const std::vector<const io::File*>& files() const { return files_; }

 private:
  io::ReadRange range(const io::File* file, std::uint64_t offset, TensorType type,
                      std::uint64_t elements) const;

  std::span<const TensorPair> pairs_;
  const std::uint64_t chunk_bytes_;
  const std::vector<const io::File*> files_;
  std::vector<std::uint32_t> order_;
  std::size_t place_ = 0;      // in order_
  std::uint64_t element_ = 0;  // of that pair
};

PairCursor::PairCursor(std::span<const TensorPair> pairs, std::uint64_t chunk_bytes)
    : pairs_(pairs), chunk_bytes_(chunk_bytes), files_(files_of(pairs)), order_(pairs.size()) {
  for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(pairs[a].file, pairs[a].offset) < std::tuple(pairs[b].file, pairs[b].offset);
  });
}

io::ReadRange PairCursor::range(const io::File* file, std::uint64_t offset, TensorType type,
                                std::uint64_t elements) const {
  const auto place = std::lower_bound(files_.begin(), files_.end(), file);
  return {.part = static_cast<std::size_t>(place - files_.begin()),
          .offset = offset + byte_size(type, element_),
          .size = byte_size(type, elements)};
}

std::optional<engine::Unit> PairCursor::next(std::stop_token) {
  while (place_ < order_.size() && pairs_[order_[place_]].elements() == 0) ++place_;
  if (place_ == order_.size()) return std::nullopt;
  const std::uint32_t index = order_[place_];
  const TensorPair& pair = pairs_[index];
  const std::uint64_t atoms = std::max<std::uint64_t>(1, chunk_bytes_ / smallest_chunk_bytes(pair));
  // One expert has one importance row.
  const std::uint64_t expert = pair.expert_elements();
  const std::uint64_t end = (element_ / expert + 1) * expert;
  engine::Unit chunk;
  chunk.tensor = index;
  chunk.first_element = element_;
  chunk.elements = std::min(atoms * kAtomElements, end - element_);
  chunk.name = pair.tensor->name;
  chunk.inputs.push_back(range(pair.file, pair.offset, pair.type(), chunk.elements));
  if (pair.source != nullptr) {
    chunk.inputs.push_back(
        range(pair.source_file, pair.source_offset, pair.source_type(), chunk.elements));
  }
  element_ += chunk.elements;
  if (element_ == pair.elements()) {
    ++place_;
    element_ = 0;
  }
  return chunk;
}

// Whether the head goes to and fro between the outputs and their sources.
bool on_one_spindle(std::span<const TensorPair> pairs, Spindle wanted) {
  std::vector<io::Place> sources;
  for (const TensorPair& pair : pairs) {
    if (pair.source == nullptr) continue;
    const io::Place place{pair.source_file->path(), pair.source_file->identity().device};
    if (sources.empty() || sources.back().path != place.path) sources.push_back(place);
  }
  if (sources.empty()) return false;
  if (wanted != Spindle::automatic) return wanted == Spindle::shared;
  const io::File& output = *pairs.front().file;
  return io::decide_spindle_of(sources, {output.path(), output.identity().device}).shared;
}

engine::MemoryNeeds memory_needs(std::span<const TensorPair> pairs, int threads) {
  engine::MemoryNeeds needs{.threads = threads, .inputs = 2};
  for (const TensorPair& pair : pairs) {
    needs.smallest_unit = std::max(needs.smallest_unit, smallest_chunk_bytes(pair));
    needs.input_size += pair.tensor->size + (pair.source == nullptr ? 0 : pair.source->size);
  }
  return needs;
}

}  // namespace

PairRun run_pairs(std::span<const TensorPair> pairs, engine::Operator& operation,
                  std::uint64_t scratch, std::uint64_t held, const StreamingOptions& options,
                  Observer& observer) {
  PairRun run;
  run.shared_spindle = on_one_spindle(pairs, options.spindle);
  engine::MemoryNeeds needs = memory_needs(pairs, thread_count(options.threads));
  needs.scratch = scratch;
  needs.wandering_head = run.shared_spindle;
  const engine::MemoryPlan memory = engine::plan_memory(needs, options.memory, held);
  PairCursor chunks(pairs, memory.unit_bytes);
  engine::Input input(options, chunks.files(), observer);
  engine::Turns turns(run.shared_spindle);
  engine::Monitor monitor(observer, needs.threads, needs.input_size, options.trace);
  engine::stream({chunks, operation}, input.source(), memory,
                 {.threads = needs.threads, .stop = options.stop}, turns, monitor);
  run.read_bytes = monitor.read_bytes();
  run.io = input.mode();
  return run;
}

}  // namespace sluice
