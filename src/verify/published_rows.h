#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/work.h"
#include "sluice/codec.h"
#include "verify/tensor_pairs.h"
#include "weights/bands.h"

namespace sluice {

/// A unit of pairs whose sources are a checkpoint's: a band of it. The unit's inputs are the outputs'
/// rows, piece by piece, then the band's codes, then their factors.
struct PublishedBand final : engine::Details {
  weights::Band band;
  std::vector<std::uint32_t> pairs;  ///< of each piece
};

/// Rows of a checkpoint's tensor that are in memory.
class PublishedRows {
 public:
  /// \param task   of a PublishedBand; outlives this
  /// \param piece  which of the band's
  PublishedRows(const PublishedSource& source, const engine::Task& task, std::size_t piece);

  /// Decodes elements [first, first + count), counted from the piece's first: whole rows.
  void decode(std::uint64_t first, std::uint64_t count, Isa isa, float* out) const;

 private:
  const PublishedSource& source_;
  const weights::Band& band_;
  const weights::Piece& piece_;
  std::span<const std::byte> codes_;
  std::span<const std::byte> factors_;
};

/// Some of a pair's weights, in memory.
struct PairChunk {
  std::uint32_t pair = 0;
  std::uint64_t first_element = 0;
  std::uint64_t elements = 0;
  std::span<const std::byte> blocks;            ///< of the output
  std::span<const std::byte> source;            ///< of the source, if it is a range of a file
  std::optional<PublishedRows> published = {};  ///< or these

  /// Decodes the source's weights from the `first`-th of the chunk on: of a checkpoint, whole rows.
  void decode_source(const TensorPair& of, std::uint64_t first, Isa isa,
                     std::span<float> out) const;
};

/// The chunks that a task holds.
std::vector<PairChunk> chunks_of(std::span<const TensorPair> pairs, const engine::Task& task);

/// Elements of a pair's strip: no more than `most`, but of a checkpoint whole rows.
std::uint64_t strip_elements(const TensorPair& pair, std::uint64_t most);

/// What buffers must hold for all pairs.
std::uint64_t longest_strip(std::span<const TensorPair> pairs, std::uint64_t most);

}  // namespace sluice
