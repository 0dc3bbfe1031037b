#pragma once

// What the searches for super-blocks of 256 weights have in common.
//
// A search looks at a tile of super-blocks, and chooses for each a scale d (and dmin) and the small
// numbers of its sub-blocks. Least squares shrinks: along the true values the decoded ones are too
// small on average, and over the layers of a model shrinkage adds up where noise averages out. So d
// is at last multiplied by what makes the decoded values unbiased, or a little less
// (bias_correction.h), while the codes stay. Codes are found anew from the values as they were
// given, with the scales as a decoder would compute them from the d that was chosen.

#include <cstdint>
#include <cstring>

#include "codec/bias_correction.h"
#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/tile.h"
#include "codec/zero_guard.h"

namespace sluice::inline SLUICE_ISA {

inline constexpr int kSuperBlock = 256;

/// As many super-blocks as fill a tile, as sub-blocks of N weights, one a column.
template <int N>
struct SuperBlockTile {
  static constexpr int kSubBlocks = kSuperBlock / N;
  static constexpr int kSuperBlocks = kColumns / kSubBlocks;

  const float* values[kSuperBlocks];      ///< [256] each, as given
  const float* importance[kSuperBlocks];  ///< [256] each, or null
  Tile<N> tile;
  float magnitude[kSuperBlocks];  ///< of a super-block: what scales are multiples of in searches
  Floats relative_magnitude;      ///< of a column, as a multiple of that
  Floats weight;                  ///< of a column, as a multiple of the super-block's largest

  /// Fills the tile from `values` and `importance`, which is null for all or for none. Codes will
  /// have `bits` bits. `mean_share`: see Tile.
  void set(int bits, float mean_share = 1.0f) noexcept {
    const float* value_runs[kColumns];
    const float* importance_runs[kColumns];
    for (int c = 0; c < kColumns; ++c) {
      const int within = c % kSubBlocks * N;
      value_runs[c] = values[c / kSubBlocks] + within;
      if (importance[0] != nullptr) importance_runs[c] = importance[c / kSubBlocks] + within;
    }
    tile.template set<kSubBlocks>(value_runs, importance[0] != nullptr ? &importance_runs : nullptr,
                                  bits, mean_share);
    const Floats largest = most_of_block<kSubBlocks>(abs(tile.magnitude));
    for (int b = 0; b < kSuperBlocks; ++b) magnitude[b] = largest[b * kSubBlocks];
    relative_magnitude = tile.magnitude * safe_reciprocal(largest);
    // Only the ratios of the sub-blocks' weights matter; all zero asks for nothing, so take ones.
    const Floats heaviest = most_of_block<kSubBlocks>(tile.column_weight);
    weight = select(heaviest > 0.0f, tile.column_weight * safe_reciprocal(heaviest), 1.0f);
  }
};

/// Encodes all rows. Search(tile, settings).search() makes a choice for a tile, which says how much
/// its super-blocks are shrunk; code(tile, choice, super-block, factor, settings) makes of it, d
/// multiplied by a factor, what Block::set() packs. Where the last tile is not full, its first
/// super-block is repeated.
template <class Block, class Search>
static inline void encode_super_blocks(const EncodeRows& rows, std::byte* out,
                                       const typename Search::Settings& settings) noexcept {
  constexpr std::size_t kStep = Search::SuperBlocks::kSuperBlocks;
  const std::size_t in_row = rows.row_elements / kSuperBlock;
  const std::size_t total = rows.rows * in_row;
  typename Search::SuperBlocks tile;
  for (std::size_t first = 0; first < total; first += kStep) {
    const std::size_t used = std::min(kStep, total - first);
    for (std::size_t b = 0; b < kStep; ++b) {
      const std::size_t index = first + (b < used ? b : 0);
      tile.values[b] = rows.values + index * kSuperBlock;
      tile.importance[b] =
          rows.importance == nullptr ? nullptr : rows.importance + index % in_row * kSuperBlock;
    }
    tile.set(settings.tile_bits(), settings.mean_share);
    const auto choice = Search(tile, settings).search();
    for (std::size_t b = 0; b < used; ++b) {
      const float factor = correct_bias(choice.unbiased_factor[b], rows.bias_correction);
      Block block{};
      block.set(code_super_block(tile, choice, static_cast<int>(b), factor, settings));
      std::memcpy(out + (first + b) * sizeof block, &block, sizeof block);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
