#pragma once

// What the searches for super-blocks of 256 weights have in common.

#include <cstdint>

#include "codec/scale_search/affine.h"
#include "codec/scale_search/stored_scale.h"
#include "sluice/codec.h"

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
  Columns relative_magnitude;     ///< of a column, as a multiple of that

  /// Fills the tile from `values` and `importance`, which is null for all or for none. Codes will
  /// have `bits` bits. `mean_share`: see Tile.
  template <class V>
  void set(int bits, float mean_share = 1.0f) noexcept {
    const float* value_runs[kColumns];
    const float* importance_runs[kColumns];
    for (int c = 0; c < kColumns; ++c) {
      const int within = c % kSubBlocks * N;
      value_runs[c] = values[c / kSubBlocks] + within;
      if (importance[0] != nullptr) importance_runs[c] = importance[c / kSubBlocks] + within;
    }
    tile.template set<V, kSubBlocks>(
        value_runs, importance[0] != nullptr ? &importance_runs : nullptr, bits, mean_share);
    for (int b = 0; b < kSuperBlocks; ++b) {
      magnitude[b] = largest_magnitude(&tile.magnitude.at[b * kSubBlocks], kSubBlocks);
      const float unit = safe_reciprocal(magnitude[b]);
      for (int c = b * kSubBlocks; c < (b + 1) * kSubBlocks; ++c) {
        relative_magnitude.at[c] = tile.magnitude.at[c] * unit;
      }
    }
    // Only the ratios of the sub-blocks' weights matter; all zero asks for nothing, so take ones.
    for (int first = 0; first < kColumns; first += kSubBlocks) {
      float* weights = &tile.column_weight.at[first];
      const float largest = largest_magnitude(weights, kSubBlocks);
      const float unit = safe_reciprocal(largest);
      for (int s = 0; s < kSubBlocks; ++s) weights[s] = largest > 0 ? weights[s] * unit : 1.0f;
    }
  }
};

/// Calls consume(super-block tile, index of its first super-block, number of super-blocks) for all
/// super-blocks of all rows. Where the last tile is not full, the first super-block is repeated.
template <class V, int N, class Consume>
static inline void for_each_super_block_tile(const EncodeRows& rows, int bits, Consume consume,
                                             float mean_share = 1.0f) noexcept {
  constexpr std::size_t kStep = SuperBlockTile<N>::kSuperBlocks;
  const std::size_t in_row = rows.row_elements / kSuperBlock;
  const std::size_t total = rows.rows * in_row;
  SuperBlockTile<N> super_blocks;
  for (std::size_t first = 0; first < total; first += kStep) {
    const std::size_t used = std::min(kStep, total - first);
    for (std::size_t b = 0; b < kStep; ++b) {
      const std::size_t index = first + (b < used ? b : 0);
      super_blocks.values[b] = rows.values + index * kSuperBlock;
      super_blocks.importance[b] =
          rows.importance == nullptr ? nullptr : rows.importance + index % in_row * kSuperBlock;
    }
    super_blocks.template set<V>(bits, mean_share);
    consume(super_blocks, first, static_cast<int>(used));
  }
}

}  // namespace sluice::inline SLUICE_ISA
