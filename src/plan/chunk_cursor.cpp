#include <algorithm>

#include "plan/plan.h"

namespace sluice {
namespace {

// Elements that may not be torn apart: a row for an encoder, a block for a copy.
std::uint64_t unit_elements(const PlannedTensor& tensor) {
  return tensor.copied() ? info(tensor.type).block_elements : tensor.row_elements();
}

std::uint64_t unit_bytes(const PlannedTensor& tensor) {
  const std::uint64_t elements = unit_elements(tensor);
  return byte_size(tensor.source, elements) +
         (tensor.copied() ? 0 : byte_size(tensor.type, elements));
}

}  // namespace

std::uint64_t smallest_chunk_bytes(const PlannedTensor& tensor) {
  return unit_bytes(tensor);
}

std::optional<Chunk> ChunkCursor::next() {
  while (order_ < plan_.reading_order.size() &&
         next_element_ == plan_.tensors[plan_.reading_order[order_]].elements()) {
    ++order_;
    next_element_ = 0;
  }
  if (order_ == plan_.reading_order.size()) return std::nullopt;

  const std::uint32_t index = plan_.reading_order[order_];
  const PlannedTensor& tensor = plan_.tensors[index];
  const std::uint64_t unit = unit_elements(tensor);
  const std::uint64_t units = std::max<std::uint64_t>(1, chunk_bytes_ / unit_bytes(tensor));
  const std::uint64_t expert_elements =
      tensor.copied() ? tensor.elements() : tensor.row_elements() * tensor.rows_per_expert();

  Chunk chunk{};
  chunk.tensor = index;
  chunk.first_element = next_element_;
  chunk.expert = next_element_ / expert_elements;
  const std::uint64_t expert_end = (chunk.expert + 1) * expert_elements;
  chunk.elements = std::min(units * unit, expert_end - next_element_);
  chunk.input_offset = tensor.input_offset + byte_size(tensor.source, next_element_);
  chunk.input_size = byte_size(tensor.source, chunk.elements);
  chunk.output_offset = tensor.output_offset + byte_size(tensor.type, next_element_);
  chunk.output_size = byte_size(tensor.type, chunk.elements);
  next_element_ += chunk.elements;
  return chunk;
}

}  // namespace sluice
