#include "verify/published_rows.h"

#include <algorithm>

#include "weights/decode.h"

namespace sluice {

PublishedRows::PublishedRows(const PublishedSource& source, const engine::Task& task,
                             std::size_t piece)
    : source_(source),
      band_(static_cast<const PublishedBand&>(*task.unit.details).band),
      piece_(band_.pieces[piece]) {
  const std::size_t codes = band_.pieces.size();
  if (codes < task.inputs.size()) codes_ = task.inputs[codes];
  if (codes + 1 < task.inputs.size()) factors_ = task.inputs[codes + 1];
}

void PublishedRows::decode(std::uint64_t first, std::uint64_t count, Isa isa, float* out) const {
  weights::decode_rows(*source_.weights, *source_.made_of, {band_, codes_, factors_}, piece_,
                       first / piece_.columns, count / piece_.columns, isa, out);
}

void PairChunk::decode_source(const TensorPair& of, std::uint64_t first, Isa isa,
                              std::span<float> out) const {
  if (published) return published->decode(first, out.size(), isa, out.data());
  decode_rows(*find_codec(of.source_type(), isa), source.data() + of.source_bytes_of(first),
              out.size(), of.row_elements(), out.data());
}

std::vector<PairChunk> chunks_of(std::span<const TensorPair> pairs, const engine::Task& task) {
  const auto* const band = static_cast<const PublishedBand*>(task.unit.details.get());
  if (band == nullptr) {
    return {{.pair = task.unit.tensor,
             .first_element = task.unit.first_element,
             .elements = task.unit.elements,
             .blocks = task.inputs[0],
             .source = task.inputs.size() > 1 ? task.inputs[1] : std::span<const std::byte>()}};
  }
  std::vector<PairChunk> chunks;
  for (std::size_t i = 0; i < band->pairs.size(); ++i) {
    const TensorPair& pair = pairs[band->pairs[i]];
    const weights::Piece& piece = band->band.pieces[i];
    chunks.push_back({.pair = band->pairs[i],
                      .first_element = piece.first_row * piece.columns,
                      .elements = piece.elements(),
                      .blocks = task.inputs[i],
                      .source = {},
                      .published = PublishedRows(*pair.published, task, i)});
  }
  return chunks;
}

std::uint64_t strip_elements(const TensorPair& pair, std::uint64_t most) {
  const std::uint64_t least = pair.published ? pair.stored_row() : pair.atom_elements();
  return std::max<std::uint64_t>(1, most / least) * least;
}

std::uint64_t longest_strip(std::span<const TensorPair> pairs, std::uint64_t most) {
  std::uint64_t longest = most;
  for (const TensorPair& pair : pairs) {
    if (pair.elements() > 0) longest = std::max(longest, strip_elements(pair, most));
  }
  return longest;
}

}  // namespace sluice
