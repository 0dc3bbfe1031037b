#include "quantize/chunk_cursor.h"

#include <algorithm>

namespace sluice {
namespace {

Interval output_of(const Plan& plan, const weights::Piece& piece) {
  const PlannedTensor& tensor = plan.tensors[piece.wanted];
  const std::uint64_t row = output_row_bytes(plan, piece.wanted);
  const std::uint64_t begin = tensor.output_offset + piece.first_row * row;
  const std::uint64_t end = begin + piece.rows * row;
  const bool last = end == tensor.output_offset + tensor.output_size;
  return {begin, end + (last ? tensor.output_padding : 0)};
}

}  // namespace

std::uint64_t output_row_bytes(const Plan& plan, std::uint32_t tensor) {
  const TensorType type = plan.tensors[tensor].type;
  if (!has_layout(type)) return 1;
  return byte_size(type, plan.wanted[tensor].row_elements, plan.tensors[tensor].row_elements());
}

std::unique_ptr<Chunk> ChunkCursor::next() {
  while (std::optional<weights::Band> band = bands_->next()) {
    if (band->elements == 0) continue;
    auto chunk = std::make_unique<Chunk>();
    chunk->band = std::move(*band);
    for (const weights::Piece& piece : chunk->band.pieces) {
      chunk->outputs.push_back(output_of(plan_, piece));
    }
    if (is_done(*chunk)) continue;
    if (chunk->band.scales && chunk->band.stored != stored_) {
      chunk->factor_bytes = plan_.weights->stored[chunk->band.stored].scales->place.size;
    }
    stored_ = chunk->band.stored;
    return chunk;
  }
  return nullptr;
}

bool ChunkCursor::is_done(const Chunk& chunk) const {
  return std::ranges::all_of(chunk.outputs,
                             [&](const Interval& output) { return done_.contains(output); });
}

std::uint64_t ChunkCursor::input_done(const Plan& plan, std::uint64_t chunk_bytes,
                                      const IntervalSet& done) {
  if (done.empty()) return 0;
  std::uint64_t left = 0;
  ChunkCursor cursor(plan, chunk_bytes, done);
  while (const std::unique_ptr<Chunk> chunk = cursor.next()) {
    left += chunk->band.range.size + chunk->factor_bytes;
  }
  return plan.input_size - left;
}

}  // namespace sluice
