#include "quantize/chunk_cursor.h"

#include <algorithm>

namespace sluice {
namespace {

// What may not be torn apart: a row for an encoder, a block for a copy, and a byte of what is not all
// blocks.
struct Atom {
  std::uint64_t elements;
  std::uint64_t input;   // bytes
  std::uint64_t output;  // bytes
};

Atom atom_of(const PlannedTensor& tensor) {
  if (!is_all_blocks(tensor.source)) return {0, 1, 1};
  const std::uint64_t elements =
      tensor.copied() ? info(tensor.type).block_elements : tensor.row_elements();
  return {elements, byte_size(tensor.source, elements), byte_size(tensor.type, elements)};
}

std::uint64_t atoms_of(const PlannedTensor& tensor) {
  return tensor.input_size / atom_of(tensor).input;
}

}  // namespace

std::uint64_t smallest_chunk_bytes(const PlannedTensor& tensor) {
  const Atom atom = atom_of(tensor);
  return atom.input + (tensor.copied() ? 0 : atom.output);
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
         next_atom_ == atoms_of(plan_.tensors[plan_.reading_order[order_]])) {
    ++order_;
    next_atom_ = 0;
  }
  if (order_ == plan_.reading_order.size()) return std::nullopt;

  const std::uint32_t index = plan_.reading_order[order_];
  const PlannedTensor& tensor = plan_.tensors[index];
  const Atom atom = atom_of(tensor);
  const std::uint64_t all = atoms_of(tensor);
  const std::uint64_t most =
      std::max<std::uint64_t>(1, chunk_bytes_ / smallest_chunk_bytes(tensor));
  const std::uint64_t expert = tensor.copied() ? all : tensor.rows_per_expert();
  const std::uint64_t expert_end = (next_atom_ / expert + 1) * expert;
  const std::uint64_t first = next_atom_;
  const std::uint64_t atoms = std::min(most, expert_end - first);
  next_atom_ += atoms;

  const std::uint64_t size = atoms * atom.output;
  const std::uint64_t begin = tensor.output_offset + first * atom.output;
  const bool last = next_atom_ == all;
  // The weights of what is not all blocks count when all of them are there.
  const std::uint64_t elements = atom.elements > 0 ? atoms * atom.elements
                                 : last            ? tensor.elements()
                                                   : 0;
  return engine::Unit{.inputs = {{.part = tensor.part,
                                  .offset = tensor.input_offset + first * atom.input,
                                  .size = atoms * atom.input}},
                      .room = tensor.copied() ? 0 : size,
                      .output = {begin, begin + size + (last ? tensor.output_padding : 0)},
                      .tensor = index,
                      .first_element = first * atom.elements,
                      .elements = elements,
                      .name = tensor.name};
}

}  // namespace sluice
