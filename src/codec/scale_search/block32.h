#pragma once

// Encoding of types whose block is 32 weights with one scale, or one scale and one offset, in
// binary16: Q4_0, Q5_0, Q6_0, Q4_1, Q5_1. Blocks are searched 16 at a time, one block a lane.

#include <bit>
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
static inline void for_each_batch(const EncodeRows& rows, int bits, Consume consume) noexcept {
  const std::size_t in_row = rows.row_elements / kBlock32;
  const std::size_t total = rows.rows * in_row;
  BlockBatch batch;
  std::size_t column = 0;
  for (std::size_t first = 0; first < total; first += kColumns) {
    const std::size_t used = std::min<std::size_t>(kColumns, total - first);
    const float* values = rows.values + first * kBlock32;
    for (std::size_t c = 0; c < kColumns; ++c)
      batch.values[c] = values + (c < used ? c : 0) * kBlock32;
    for (std::size_t c = 0; c < kColumns; ++c) {
      batch.importance[c] =
          rows.importance == nullptr ? nullptr : rows.importance + column * kBlock32;
      if (++column == in_row) column = 0;
    }
    batch.tile.template set<V, 1>(batch.values,
                                  rows.importance == nullptr ? nullptr : &batch.importance, bits);
    consume(batch, first, static_cast<int>(used));
  }
}

/// The scales of a batch as its blocks store them.
struct StoredScales {
  std::uint16_t half[kColumns];  ///< binary16
  Columns value;
  Columns inverse;  ///< 0 for a scale of 0

  explicit StoredScales(const Columns& wanted) noexcept {
    // Loops that are unrolled are not vectorized any more.
#pragma GCC unroll 1
    for (int c = 0; c < kColumns; ++c) half[c] = stored_scale(wanted.at[c]);
#pragma GCC unroll 1
    for (int c = 0; c < kColumns; ++c) value.at[c] = f16_to_f32(half[c]);
#pragma GCC unroll 1
    for (int c = 0; c < kColumns; ++c) {
      const float scale = value.at[c];
      inverse.at[c] = scale != 0.0f ? 1.0f / scale : 0.0f;
    }
  }
};

/// Codes of [low, high], counted from low, nearest to the values of one block. Without an offset
/// zero is among the codes, so that no weight's error is more than that of coding zero.
template <class V>
static inline void nearest_codes(const float* values, float inverse, float offset, int low,
                                 int high, std::uint8_t* codes) noexcept {
  const float lowest = static_cast<float>(low);
  const float highest = static_cast<float>(high);
  for (int i = 0; i < kBlock32; i += kLanes<V>) {
    const V code = clamp((load<V>(values + i) - offset) * inverse, lowest, highest);
    store_bytes(codes + i, round_to_integer(code) - lowest);
  }
}

/// Encodes to blocks with a signed scale `d` in binary16; pack(codes, block) fills in the rest of a
/// block from codes counted from `low`.
template <class V, class Block, class Pack>
static inline void encode_symmetric_blocks(const EncodeRows& rows, std::byte* out, int low,
                                           int high, const SymmetricEffort& effort,
                                           Pack pack) noexcept {
  const int bits = std::bit_width(static_cast<unsigned>(high));
  for_each_batch<V>(rows, bits, [&](const BlockBatch& batch, std::size_t first, int used) noexcept {
    Columns wanted;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const TileLanes<V, kBlock32> lanes{batch.tile, lane};
      const V found = search_symmetric(lanes, low, high, effort).scale;
      store(&wanted.at[lane], found * load<V>(&batch.tile.magnitude.at[lane]));
    }
    const StoredScales scales(wanted);
    Block
        blocks[kColumns];  // copied at once: right after it was written in pieces, each would wait
    for (int b = 0; b < used; ++b) {
      Block& block = blocks[b];
      block.d = scales.half[b];
      std::uint8_t codes[kBlock32];
      nearest_codes<V>(batch.values[b], scales.inverse.at[b], 0.0f, low, high, codes);
      pack(codes, block);
    }
    std::memcpy(out + first * sizeof(Block), blocks,
                static_cast<std::size_t>(used) * sizeof(Block));
  });
}

/// Whether a block is certainly better than zeros, under the importance too: by sqrt(33) at most
/// its ratios differ from those of the search's weights. What the search cannot see, weights below
/// 2^-16 of the largest, is too little to matter; neither is d's rounding where d is a normal
/// number. An importance that vanished in the weights, though not in what it is multiplied with
/// when errors are told, says nothing: `weight` is the largest.
static inline bool clearly_coded(float coded, float energy, float weight, float d) noexcept {
  constexpr float kMuch = 0.05f * Tile<kBlock32>::kWeightUnit;
  // Without branches, so that it runs on vectors.
  return (coded > 0.95f * energy) & (energy > kMuch) & (weight > 0x1p-100f) & (d > 0x1p-14f) &
         (d < 60000.0f);
}

/// Encodes to blocks with a scale `d` and an offset `m` in binary16, codes of [0, high].
template <class V, class Block, class Pack>
static inline void encode_affine_blocks(const EncodeRows& rows, std::byte* out, int high,
                                        const AffineEffort& effort, Pack pack) noexcept {
  // Offsets are anywhere, so that values minus offset span two units.
  const int bits = std::bit_width(static_cast<unsigned>(high)) - 1;
  for_each_batch<V>(rows, bits, [&](const BlockBatch& batch, std::size_t first, int used) noexcept {
    Columns wanted;
    Columns wanted_offset;
    Columns coded;  // the part of sum w x^2 that is
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const TileLanes<V, kBlock32> lanes{batch.tile, lane};
      const AffineFit<V> fit =
          search_affine<Offset::any>(lanes, affine_moments(lanes), high, effort);
      const V magnitude = load<V>(&batch.tile.magnitude.at[lane]);
      store(&coded.at[lane], fit.score);
      store(&wanted.at[lane], fit.scale * magnitude);
      store(&wanted_offset.at[lane], fit.offset * magnitude);
    }
    const StoredScales scales(wanted);
    const StoredScales offsets(wanted_offset);
    std::int32_t sure[kColumns];
#pragma GCC unroll 1
    for (int c = 0; c < kColumns; ++c) {
      sure[c] = clearly_coded(coded.at[c], batch.tile.wxx.at[c], batch.tile.column_weight.at[c],
                              scales.value.at[c]);
    }
    Block blocks[kColumns];
    for (int b = 0; b < used; ++b) {
      Block& block = blocks[b];
      block.d = scales.half[b];
      block.m = offsets.half[b];
      const float d = scales.value.at[b];
      const float m = offsets.value.at[b];
      std::uint8_t codes[kBlock32];
      nearest_codes<V>(batch.values[b], scales.inverse.at[b], m, 0, high, codes);
      if (sure[b] == 0) {
        float decoded[kBlock32];
        for (int i = 0; i < kBlock32; ++i) decoded[i] = d * static_cast<float>(codes[i]) + m;
        if (worse_than_zeros(batch.values[b], decoded, batch.importance[b], kBlock32)) {
          block.d = block.m = 0;
          std::memset(codes, 0, sizeof codes);
        }
      }
      pack(codes, block);
    }
    std::memcpy(out + first * sizeof(Block), blocks,
                static_cast<std::size_t>(used) * sizeof(Block));
  });
}

}  // namespace sluice::inline SLUICE_ISA
