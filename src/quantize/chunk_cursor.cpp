#include "quantize/chunk_cursor.h"

#include <algorithm>

namespace sluice {
namespace {

// Elements that may not be torn apart: a row for an encoder, a block for a copy.
std::uint64_t atom_elements(const PlannedTensor& tensor) {
  return tensor.copied() ? info(tensor.type).block_elements : tensor.row_elements();
}

}  // namespace

std::uint64_t smallest_chunk_bytes(const PlannedTensor& tensor) {
  const std::uint64_t elements = atom_elements(tensor);
  return byte_size(tensor.source, elements) +
         (tensor.copied() ? 0 : byte_size(tensor.type, elements));
}

std::optional<engine::Unit> ChunkCursor::next(std::stop_token) {
  std::optional<engine::Unit> chunk = next_of_all();
  while (chunk && done_.contains(chunk->output)) chunk = next_of_all();
  return chunk;
}

std::uint64_t ChunkCursor::input_done(const Plan& plan, std::uint64_t chunk_bytes,
                                      const IntervalSet& done) {
  if (done.empty()) return 0;
  std::uint64_t left = 0;
  ChunkCursor cursor(plan, chunk_bytes, done);
  while (const std::optional<engine::Unit> chunk = cursor.next({})) left += chunk->input_bytes();
  return plan.input_size - left;
}

std::optional<engine::Unit> ChunkCursor::next_of_all() {
  while (order_ < plan_.reading_order.size() &&
         next_element_ == plan_.tensors[plan_.reading_order[order_]].elements()) {
    ++order_;
    next_element_ = 0;
  }
  if (order_ == plan_.reading_order.size()) return std::nullopt;

  const std::uint32_t index = plan_.reading_order[order_];
  const PlannedTensor& tensor = plan_.tensors[index];
  const std::uint64_t atoms =
      std::max<std::uint64_t>(1, chunk_bytes_ / smallest_chunk_bytes(tensor));
  const std::uint64_t expert = tensor.copied() ? tensor.elements() : tensor.expert_elements();
  const std::uint64_t expert_end = (next_element_ / expert + 1) * expert;
  const std::uint64_t first = next_element_;
  const std::uint64_t elements = std::min(atoms * atom_elements(tensor), expert_end - first);
  next_element_ += elements;

  const std::uint64_t size = byte_size(tensor.type, elements);
  const std::uint64_t begin = tensor.output_offset + byte_size(tensor.type, first);
  const bool last = next_element_ == tensor.elements();
  return engine::Unit{.inputs = {{.part = tensor.part,
                                  .offset = tensor.input_offset + byte_size(tensor.source, first),
                                  .size = byte_size(tensor.source, elements)}},
                      .room = tensor.copied() ? 0 : size,
                      .output = {begin, begin + size + (last ? tensor.output_padding : 0)},
                      .tensor = index,
                      .first_element = first,
                      .elements = elements,
                      .name = tensor.name};
}

}  // namespace sluice
