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
inline constexpr int kBlocksInTile = 16;
using BlockTile = Tile<kBlock32, kBlocksInTile>;

/// Some blocks of 32, in a row of memory each and as a tile of values scaled to [-1, 1].
struct BlockBatch {
  const float* values[kBlocksInTile];
  const float* importance[kBlocksInTile];  ///< or null
  float magnitude[kBlocksInTile];          ///< what tile values are multiples of
  int blocks;                              ///< columns in use
  BlockTile tile;
};

/// Calls consume(batch, index of the batch's first block) for all blocks of all rows.
template <class Consume>
static inline void for_each_batch(const EncodeRows& rows, Consume consume) noexcept {
  const std::size_t blocks_in_row = rows.row_elements / kBlock32;
  const std::size_t total = rows.rows * blocks_in_row;
  BlockBatch batch;
  for (std::size_t first = 0; first < total; first += kBlocksInTile) {
    batch.blocks = static_cast<int>(std::min<std::size_t>(kBlocksInTile, total - first));
    for (int b = 0; b < batch.blocks; ++b) {
      const std::size_t block = first + static_cast<std::size_t>(b);
      const float* values = rows.values + block * kBlock32;
      const float magnitude = largest_magnitude(values, kBlock32);
      batch.values[b] = values;
      batch.importance[b] =
          rows.importance == nullptr ? nullptr : rows.importance + block % blocks_in_row * kBlock32;
      batch.magnitude[b] = magnitude;
      float weights[kBlock32];
      search_weights(values, batch.importance[b], kBlock32, weights);
      batch.tile.set(b, values, safe_reciprocal(magnitude), weights);
    }
    for (int b = batch.blocks; b < kBlocksInTile; ++b) batch.tile.clear(b);
    consume(batch, first);
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
template <class Block, class Pack>
static inline void encode_symmetric_blocks(const EncodeRows& rows, std::byte* out, float low,
                                           float high, const SymmetricEffort& effort,
                                           Pack pack) noexcept {
  for_each_batch(rows, [&](const BlockBatch& batch, std::size_t first) {
    alignas(64) float scale[kBlocksInTile];
    for (int lane = 0; lane < kBlocksInTile; lane += kLanes<Float4>) {
      const TileLanes<Float4, kBlock32, kBlocksInTile> lanes{batch.tile, lane};
      store(&scale[lane], search_symmetric(lanes, low, high, effort).scale);
    }
    for (int b = 0; b < batch.blocks; ++b) {
      Block block;
      block.d = stored_scale(scale[b] * batch.magnitude[b]);
      std::uint8_t codes[kBlock32];
      nearest_codes(batch.values[b], f16_to_f32(block.d), 0.0f, low, high, codes);
      pack(codes, block);
      std::memcpy(out + (first + static_cast<std::size_t>(b)) * sizeof block, &block, sizeof block);
    }
  });
}

/// Encodes to blocks with a scale `d` and an offset `m` in binary16, codes of [0, high].
template <class Block, class Pack>
static inline void encode_affine_blocks(const EncodeRows& rows, std::byte* out, float high,
                                        const AffineEffort& effort, Pack pack) noexcept {
  for_each_batch(rows, [&](const BlockBatch& batch, std::size_t first) {
    alignas(64) float scale[kBlocksInTile];
    alignas(64) float offset[kBlocksInTile];
    for (int lane = 0; lane < kBlocksInTile; lane += kLanes<Float4>) {
      const TileLanes<Float4, kBlock32, kBlocksInTile> lanes{batch.tile, lane};
      const AffineFit<Float4> fit = search_affine<Offset::any>(lanes, high, effort);
      store(&scale[lane], fit.scale);
      store(&offset[lane], fit.offset);
    }
    for (int b = 0; b < batch.blocks; ++b) {
      Block block;
      block.d = stored_scale(scale[b] * batch.magnitude[b]);
      block.m = stored_scale(offset[b] * batch.magnitude[b]);
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
