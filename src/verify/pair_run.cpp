#include "verify/pair_run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <tuple>
#include <vector>

#include "base/threads.h"
#include "engine/input.h"
#include "engine/memory_plan.h"
#include "engine/monitor.h"
#include "engine/stream.h"
#include "io/seek_time.h"
#include "io/spindle.h"
#include "verify/published_rows.h"
#include "weights/bands.h"

namespace sluice {
namespace {

// The least bytes of both that a chunk of the pair can have.
std::uint64_t smallest_chunk_bytes(const TensorPair& pair) {
  const std::uint64_t elements = pair.atom_elements();
  return pair.bytes_of(elements) + (pair.source == nullptr ? 0 : pair.source_bytes_of(elements));
}

std::vector<const io::File*> files_of(std::span<const TensorPair> pairs) {
  std::set<const io::File*> files;
  for (const TensorPair& pair : pairs) {
    files.insert(pair.file);
    if (pair.published) {
      for (const io::File& part : pair.published->parts) files.insert(&part);
    } else if (pair.source != nullptr) {
      files.insert(pair.source_file);
    }
  }
  return {files.begin(), files.end()};
}

/// The pairs whose sources are a checkpoint's, as its bands are asked for: with the outputs' rows.
struct PublishedPairs {
  const weights::Weights* weights = nullptr;  ///< null: there are none
  std::vector<std::uint32_t> pairs;           ///< of each wanted tensor
  std::vector<weights::Wanted> wanted;

  explicit PublishedPairs(std::span<const TensorPair> all) {
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      if (!all[i].published || all[i].elements() == 0) continue;
      weights = all[i].published->weights;
      pairs.push_back(i);
      wanted.push_back({.source = all[i].published->made_of,
                        .row_elements = all[i].stored_row(),
                        .row_bytes = all[i].bytes_of(all[i].stored_row())});
    }
  }

  /// The stored tensors that these are made of.
  std::set<std::size_t> stored() const {
    std::set<std::size_t> stored;
    for (const weights::Wanted& one : wanted) {
      for (const weights::View& view : one.source->views) stored.insert(view.stored);
    }
    return stored;
  }

  /// How many bytes of factors a band of a stored tensor has at most for each of its codes' bytes.
  double most_factors() const {
    double most = 0;
    for (const std::size_t index : stored()) {
      const weights::Stored& one = weights->stored[index];
      if (!one.scales) continue;
      const double row = static_cast<double>(one.scales->columns) * sizeof(float);
      most = std::max(most, row / static_cast<double>(one.row_bytes()));
    }
    return most;
  }

  /// The most ranges that a unit reads. A band that begins and ends within each of a view's axes has
  /// a piece of it for either end of each, and one between.
  std::size_t most_inputs() const {
    std::map<std::size_t, std::size_t> views;
    std::size_t most = 1;
    for (const weights::Wanted& one : wanted) {
      for (const weights::View& view : one.source->views) {
        most = std::max(most, views[view.stored] += 2 * view.axes.size());
      }
    }
    return most + 2;
  }

  std::uint64_t factor_bytes() const {
    std::uint64_t bytes = 0;
    for (const std::size_t index : stored()) {
      if (const auto& scales = weights->stored[index].scales) bytes += scales->place.size;
    }
    return bytes;
  }
};

/// Walks through the chunks of all pairs. First of those whose sources are ranges of a file, in the
/// order in which the outputs' tensors lie on the disk: a chunk is whole blocks of one expert, of the
/// output (its first input) and, if the pair has one, of the source (its second). Then through the
/// checkpoint's bands. Unit::tensor is the pair's index.
class PairCursor final : public engine::Producer {
 public:
  /// No chunk has more than `chunk_bytes` of both, unless so many blocks as belong together have.
  PairCursor(std::span<const TensorPair> pairs, std::uint64_t chunk_bytes);

  std::optional<engine::Unit> next(std::stop_token ended) override;

  /// The files that the chunks' inputs are of.
  const std::vector<const io::File*>& files() const { return files_; }

 private:
  std::size_t number_of(const io::File* file) const;
  std::optional<engine::Unit> next_band();

  std::span<const TensorPair> pairs_;
  const std::uint64_t chunk_bytes_;
  const std::vector<const io::File*> files_;
  std::vector<std::uint32_t> order_;
  std::size_t place_ = 0;      // in order_
  std::uint64_t element_ = 0;  // of that pair
  const PublishedPairs published_;
  std::optional<weights::BandCursor> bands_;
};

PairCursor::PairCursor(std::span<const TensorPair> pairs, std::uint64_t chunk_bytes)
    : pairs_(pairs), chunk_bytes_(chunk_bytes), files_(files_of(pairs)), published_(pairs) {
  for (std::uint32_t i = 0; i < pairs.size(); ++i) {
    if (!pairs[i].published && pairs[i].elements() > 0) order_.push_back(i);
  }
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(pairs[a].file, pairs[a].offset) < std::tuple(pairs[b].file, pairs[b].offset);
  });
  if (published_.weights == nullptr) return;
  const double share = 1 / (1 + published_.most_factors());
  bands_.emplace(*published_.weights, published_.wanted,
                 static_cast<std::uint64_t>(share * static_cast<double>(chunk_bytes)));
}

std::size_t PairCursor::number_of(const io::File* file) const {
  return static_cast<std::size_t>(std::lower_bound(files_.begin(), files_.end(), file) -
                                  files_.begin());
}

std::optional<engine::Unit> PairCursor::next_band() {
  std::optional<weights::Band> band = bands_ ? bands_->next() : std::nullopt;
  if (!band) return std::nullopt;
  auto details = std::make_shared<PublishedBand>();
  engine::Unit unit;
  for (const weights::Piece& piece : band->pieces) {
    const std::uint32_t index = published_.pairs[piece.wanted];
    const TensorPair& pair = pairs_[index];
    const std::uint64_t row = pair.bytes_of(pair.stored_row());
    details->pairs.push_back(index);
    unit.inputs.push_back({.part = number_of(pair.file),
                           .offset = pair.offset + piece.first_row * row,
                           .size = piece.rows * row});
    unit.elements += piece.elements();
  }
  unit.tensor = details->pairs.front();
  unit.name = pairs_[unit.tensor].tensor->name;
  const std::span<const io::File> parts = pairs_[unit.tensor].published->parts;
  for (const std::optional<io::ReadRange>& range : {std::optional(band->range), band->scales}) {
    if (!range || range->size == 0) continue;
    unit.inputs.push_back(*range);
    unit.inputs.back().part = number_of(&parts[range->part]);
  }
  details->band = std::move(*band);
  unit.details = std::move(details);
  return unit;
}

std::optional<engine::Unit> PairCursor::next(std::stop_token) {
  if (place_ == order_.size()) return next_band();
  const std::uint32_t index = order_[place_];
  const TensorPair& pair = pairs_[index];
  const std::uint64_t atoms = std::max<std::uint64_t>(1, chunk_bytes_ / smallest_chunk_bytes(pair));
  // One expert has one importance row.
  const std::uint64_t expert = pair.expert_elements();
  const std::uint64_t end = (element_ / expert + 1) * expert;
  engine::Unit chunk;
  chunk.tensor = index;
  chunk.first_element = element_;
  chunk.elements = std::min(atoms * pair.atom_elements(), end - element_);
  chunk.name = pair.tensor->name;
  chunk.inputs.push_back({.part = number_of(pair.file),
                          .offset = pair.offset + pair.bytes_of(element_),
                          .size = pair.bytes_of(chunk.elements)});
  if (pair.source != nullptr) {
    chunk.inputs.push_back({.part = number_of(pair.source_file),
                            .offset = pair.source_offset + pair.source_bytes_of(element_),
                            .size = pair.source_bytes_of(chunk.elements)});
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
  std::vector<const io::File*> files;
  for (const TensorPair& pair : pairs) {
    if (pair.source == nullptr) continue;
    const io::Place place{pair.source_file->path(), pair.source_file->identity().device};
    if (!sources.empty() && sources.back().path == place.path) continue;
    sources.push_back(place);
    files.push_back(pair.source_file);
  }
  if (sources.empty()) return false;
  if (wanted != Spindle::automatic) return wanted == Spindle::shared;
  const io::File& output = *pairs.front().file;
  const io::SpindleDecision told =
      io::decide_spindle_of(sources, {output.path(), output.identity().device});
  return told.virtual_disk.empty() ? told.shared
                                   : io::with_seeks(told, io::measure_seek(files)).shared;
}

engine::MemoryNeeds memory_needs(std::span<const TensorPair> pairs, int threads) {
  engine::MemoryNeeds needs{.threads = threads, .inputs = 2};
  for (const TensorPair& pair : pairs) {
    needs.input_size += pair.tensor->size;
    if (pair.published) continue;
    needs.smallest_unit = std::max(needs.smallest_unit, smallest_chunk_bytes(pair));
    if (pair.source != nullptr) needs.input_size += pair.source->size;
  }
  const PublishedPairs published(pairs);
  if (published.weights == nullptr) return needs;
  const auto least = static_cast<double>(
      weights::BandCursor::smallest_bytes(*published.weights, published.wanted));
  needs.smallest_unit =
      std::max(needs.smallest_unit,
               static_cast<std::uint64_t>(std::ceil((1 + published.most_factors()) * least)));
  needs.inputs = std::max(needs.inputs, published.most_inputs());
  needs.input_size += published.factor_bytes() +
                      weights::BandCursor::total_bytes(*published.weights, published.wanted);
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
  run.cached_bytes = input.cached_bytes();
  run.io = input.mode();
  return run;
}

}  // namespace sluice
