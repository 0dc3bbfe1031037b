#pragma once

// Encoding of types whose block is 32 weights with one scale, or one scale and one offset, in
// binary16: Q4_0, Q5_0, Q6_0, Q4_1, Q5_1. Blocks are searched 16 at a time, one block a lane.

#include <cstdint>

#include "codec/scale_search/affine.h"
#include "codec/scale_search/stored_scale.h"
#include "codec/scale_search/symmetric.h"
#include "codec/scale_search/zero_guard.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

inline constexpr int kBlock32 = 32;

/// Some blocks of 32, in a row of memory each and as a tile.
struct BlockBatch {
  const float* values[kColumns];
  const float* importance[kColumns];  ///< or null
  Tile<kBlock32> tile;
};

/// Calls consume(batch, index of the batch's first block, number of blocks) for all blocks of all
/// rows. Where the last tile is not full, the first block is repeated.
template <class V, class Consume>
static inline void for_each_batch(const EncodeRows& rows, Consume consume) noexcept {
  const std::size_t in_row = rows.row_elements / kBlock32;
  const std::size_t total = rows.rows * in_row;
  BlockBatch batch;
  for (std::size_t first = 0; first < total; first += kColumns) {
    const std::size_t used = std::min<std::size_t>(kColumns, total - first);
    std::size_t column = first % in_row;
    for (std::size_t c = 0; c < kColumns; ++c) {
      batch.values[c] = rows.values + (first + (c < used ? c : 0)) * kBlock32;
      batch.importance[c] =
          rows.importance == nullptr ? nullptr : rows.importance + column * kBlock32;
      if (++column == in_row) column = 0;
    }
    batch.tile.template set<V, 1>(batch.values,
                                  rows.importance == nullptr ? nullptr : &batch.importance);
    consume(batch, first, static_cast<int>(used));
  }
}

/// Codes of [low, high], counted from low, nearest to the values of one block. Without an offset
/// zero is among the codes, so that no weight's error is more than that of coding zero.
static inline void nearest_codes(const float* values, float scale, float offset, float low,
                                 float high, std::uint8_t* codes) noexcept {
  const float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  for (int i = 0; i < kBlock32; ++i) {
    const float code = round_to_integer(clamp((values[i] - offset) * inverse, low, high));
    codes[i] = static_cast<std::uint8_t>(static_cast<int>(code - low));
  }
}

/// Encodes to blocks with a signed scale `d` in binary16; pack(codes, block) fills in the rest of a
/// block from codes counted from `low`.
template <class V, class Block, class Pack>
static inline void encode_symmetric_blocks(const EncodeRows& rows, std::byte* out, float low,
                                           float high, const SymmetricEffort& effort,
                                           Pack pack) noexcept {
  for_each_batch<V>(rows, [&](const BlockBatch& batch, std::size_t first, int used) {
    Columns scale;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const TileLanes<V, kBlock32> lanes{batch.tile, lane};
      const V found = search_symmetric(lanes, low, high, effort).scale;
      store(&scale.at[lane], found * load<V>(&batch.tile.magnitude.at[lane]));
    }
    for (int b = 0; b < used; ++b) {
      Block block;
      block.d = stored_scale(scale.at[b]);
      std::uint8_t codes[kBlock32];
      nearest_codes(batch.values[b], f16_to_f32(block.d), 0.0f, low, high, codes);
      pack(codes, block);
      std::memcpy(out + (first + static_cast<std::size_t>(b)) * sizeof block, &block, sizeof block);
    }
  });
}

/// Encodes to blocks with a scale `d` and an offset `m` in binary16, codes of [0, high].
template <class V, class Block, class Pack>
static inline void encode_affine_blocks(const EncodeRows& rows, std::byte* out, float high,
                                        const AffineEffort& effort, Pack pack) noexcept {
  for_each_batch<V>(rows, [&](const BlockBatch& batch, std::size_t first, int used) {
    Columns scale;
    Columns offset;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const TileLanes<V, kBlock32> lanes{batch.tile, lane};
      const AffineFit<V> fit =
          search_affine<Offset::any>(lanes, affine_moments(lanes), high, effort);
      const V magnitude = load<V>(&batch.tile.magnitude.at[lane]);
      store(&scale.at[lane], fit.scale * magnitude);
      store(&offset.at[lane], fit.offset * magnitude);
    }
    for (int b = 0; b < used; ++b) {
      Block block;
      block.d = stored_scale(scale.at[b]);
      block.m = stored_scale(offset.at[b]);
      const float d = f16_to_f32(block.d);
      const float m = f16_to_f32(block.m);
      std::uint8_t codes[kBlock32];
      float decoded[kBlock32];
      nearest_codes(batch.values[b], d, m, 0.0f, high, codes);
      for (int i = 0; i < kBlock32; ++i) decoded[i] = d * static_cast<float>(codes[i]) + m;
      if (worse_than_zeros(batch.values[b], decoded, batch.importance[b], kBlock32)) {
        block.d = block.m = 0;
        std::fill_n(codes, kBlock32, std::uint8_t{0});
      }
      pack(codes, block);
      std::memcpy(out + (first + static_cast<std::size_t>(b)) * sizeof block, &block, sizeof block);
    }
  });
}

}  // namespace sluice::inline SLUICE_ISA
