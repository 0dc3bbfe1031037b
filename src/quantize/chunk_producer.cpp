#include "quantize/chunk_producer.h"

#include <algorithm>
#include <set>
#include <utility>

namespace sluice {
namespace {

// The next factors are read while the last units of those before are worked on.
constexpr std::size_t kWindows = 2;

// A GiB of weights: for the factors of so many a seek is nothing.
constexpr std::size_t kMostAhead = 256;
constexpr std::uint64_t kChunkMemory = 1024;

}  // namespace

ChunkProducer::ChunkProducer(const Plan& plan, ChunkCursor chunks, const engine::MemoryPlan& memory,
                             const Reading& reading)
    : plan_(plan),
      reading_(reading),
      chunks_(std::move(chunks)),
      windows_(kWindows),
      buffers_(memory.buffers, plan.matrix_bytes) {}

std::optional<engine::Unit> ChunkProducer::next(std::stop_token ended) {
  if (ahead_.empty()) {
    if (std::unique_ptr<Chunk> chunk = chunks_.next()) ahead_.push_back(std::move(chunk));
  }
  if (ahead_.empty() || !add_factors(ended) || !add_matrix(*ahead_.front(), ended)) {
    return std::nullopt;
  }
  std::unique_ptr<Chunk> chunk = std::move(ahead_.front());
  ahead_.pop_front();
  return unit_of(plan_, std::move(chunk));
}

/// Sees that the next chunk has its factors. \returns false if the run has ended
bool ChunkProducer::add_factors(const std::stop_token& ended) {
  if (!ahead_.front()->band.scales || ahead_.front()->window) return true;
  const std::shared_ptr<FactorWindow> window = windows_.acquire(ended);
  if (!window) return false;
  std::vector<io::ReadRange> ranges;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < kMostAhead; ++i) {
    if (i == ahead_.size()) {
      std::unique_ptr<Chunk> chunk = chunks_.next();
      if (!chunk) break;
      ahead_.push_back(std::move(chunk));
    }
    const std::optional<io::ReadRange>& factors = ahead_[i]->band.scales;
    if (!factors) continue;
    bytes += factors->size;
    if (i > 0 && bytes > FactorWindow::kMostBytes) break;
    ranges.push_back(*factors);
    ahead_[i]->window = window;
  }
  window->read(std::move(ranges), reading_);
  for (const std::unique_ptr<Chunk>& chunk : ahead_) {
    if (chunk->window) chunk->factors = window->at(*chunk->band.scales);
  }
  return true;
}

/// Sees that columns of a matrix have a place. \returns false if the run has ended
bool ChunkProducer::add_matrix(Chunk& chunk, const std::stop_token& ended) {
  if (!chunk.band.matrix) return true;
  if (chunk.band.matrix->first) {
    matrix_.reset();
    matrix_ = buffers_.acquire(ended);
    if (!matrix_) return false;
    matrix_->begin(chunk.band.matrix->bands);
  }
  chunk.matrix = matrix_;
  return true;
}

std::uint64_t ChunkProducer::factor_memory(const Plan& plan) {
  std::set<std::size_t> seen;
  std::uint64_t all = 0;
  std::uint64_t largest = FactorWindow::kMostBytes;
  for (const weights::Wanted& wanted : plan.wanted) {
    for (const weights::View& view : wanted.source->views) {
      const std::optional<weights::Scales>& scales = plan.weights->stored[view.stored].scales;
      if (!scales || !seen.insert(view.stored).second) continue;
      const std::uint64_t matrices = plan.weights->stored[view.stored].elements() /
                                     plan.weights->stored[view.stored].columns() /
                                     plan.weights->stored[view.stored].rows();
      all += scales->place.size;
      largest = std::max(largest,
                         scales->matrix == 0 ? scales->place.size : scales->place.size / matrices);
    }
  }
  return all == 0 ? 0 : kWindows * std::min(all, largest) + kMostAhead * kChunkMemory;
}

engine::Unit unit_of(const Plan& plan, std::unique_ptr<Chunk> chunk) {
  const weights::Band& band = chunk->band;
  const PlannedTensor& tensor = plan.tensors[band.pieces.front().wanted];
  engine::Unit unit{.beside_read = chunk->factor_bytes,
                    .tensor = band.pieces.front().wanted,
                    .name = tensor.name};
  if (band.range.size > 0) unit.inputs.push_back(band.range);
  for (const weights::Piece& piece : band.pieces) {
    unit.elements += piece.elements();
    if (!band.matrix && plan.tensors[piece.wanted].passage != Passage::moved) {
      unit.room += piece.rows * output_row_bytes(plan, piece.wanted);
    }
  }
  // The weights of what has no layout count when all of them are there.
  if (!has_layout(tensor.type)) {
    const bool last = chunk->outputs.front().end >= tensor.output_offset + tensor.output_size;
    unit.elements = last ? tensor.elements() : 0;
  }
  unit.details = std::move(chunk);
  return unit;
}

}  // namespace sluice
