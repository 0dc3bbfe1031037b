#pragma once

// What the searches for super-blocks of 256 weights have in common.

#include <cstdint>

#include "codec/scale_search/affine.h"
#include "codec/scale_search/stored_scale.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

inline constexpr int kSuperBlock = 256;

/// A super-block as sub-blocks of N weights, one a column.
template <int N>
struct SuperBlockTile {
  static constexpr int kSubBlocks = kSuperBlock / N;

  const float* values;      ///< [256], as given
  const float* importance;  ///< [256], or null
  float magnitude;          ///< what tile values are multiples of
  Tile<N, kSubBlocks> tile;

  /// `importance` is the super-block's part of the row's importance, or null.
  void set(const float* new_values, const float* new_importance) noexcept {
    values = new_values;
    importance = new_importance;
    magnitude = largest_magnitude(values, kSuperBlock);
    const float unit = safe_reciprocal(magnitude);
    float weights[kSuperBlock];
    search_weights(values, importance, kSuperBlock, weights);
    for (int s = 0; s < kSubBlocks; ++s) tile.set(s, values + s * N, unit, weights + s * N);
    normalise_column_weights();
  }

 private:
  // Only the ratios of the sub-blocks' weights matter; all zero asks for nothing, so take ones.
  void normalise_column_weights() noexcept {
    const float largest = largest_magnitude(tile.column_weight, kSubBlocks);
    const float unit = safe_reciprocal(largest);
    for (float& weight : tile.column_weight) weight = largest > 0 ? weight * unit : 1.0f;
  }
};

/// Calls consume(super-block tile, index) for all super-blocks of all rows.
template <int N, class Consume>
static inline void for_each_super_block(const EncodeRows& rows, Consume consume) noexcept {
  const std::size_t in_row = rows.row_elements / kSuperBlock;
  const std::size_t total = rows.rows * in_row;
  SuperBlockTile<N> super_block;
  for (std::size_t b = 0; b < total; ++b) {
    super_block.set(
        rows.values + b * kSuperBlock,
        rows.importance == nullptr ? nullptr : rows.importance + b % in_row * kSuperBlock);
    consume(super_block, b);
  }
}

}  // namespace sluice::inline SLUICE_ISA
