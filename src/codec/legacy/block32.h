#pragma once

// Encoding of types whose block is 32 weights (64 those of Q2_0) with one scale, or one scale and one
// offset, in binary16: Q2_0, Q4_0, Q5_0, Q6_0, Q4_1, Q5_1. Blocks are searched 16 at a time, one block
// a lane.

#include <bit>
#include <cstdint>
#include <cstring>

#include "codec/affine.h"
#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/symmetric.h"
#include "codec/zero_guard.h"

namespace sluice::inline SLUICE_ISA {

inline constexpr int kBlock32 = 32;

/// Some blocks of N weights, in a row of memory each and as a tile.
template <int N>
struct BlockBatch {
  const float* values[kColumns];
  const float* importance[kColumns];  ///< or null
  Tile<N> tile;
};

/// Codes of one block, counted from the lowest.
template <int N>
using BlockCodes = std::uint8_t[N];
using Codes32 = BlockCodes<kBlock32>;

/// Encodes all blocks of all rows, 16 at a time: encode(batch, blocks, used) fills in `used` ones.
/// Where the last tile is not full, the first block is repeated. Codes have `bits` bits.
template <class Block, int N, class Encode>
static inline void encode_batches(const EncodeRows& rows, std::byte* out, int bits,
                                  Encode encode) noexcept {
  const std::size_t in_row = rows.row_elements / N;
  const std::size_t total = rows.rows * in_row;
  BlockBatch<N> batch;
  std::size_t column = 0;
  for (std::size_t first = 0; first < total; first += kColumns) {
    const std::size_t used = std::min<std::size_t>(kColumns, total - first);
    const float* values = rows.values + first * N;
    for (std::size_t c = 0; c < kColumns; ++c) {
      batch.values[c] = values + (c < used ? c : 0) * N;
    }
    for (std::size_t c = 0; c < kColumns; ++c) {
      batch.importance[c] = rows.importance == nullptr ? nullptr : rows.importance + column * N;
      if (++column == in_row) column = 0;
    }
    batch.tile.template set<1>(batch.values,
                               rows.importance == nullptr ? nullptr : &batch.importance, bits);
    Block
        blocks[kColumns];  // copied at once: right after it was written in pieces, each would wait
    encode(batch, blocks, static_cast<int>(used));
    std::memcpy(out + first * sizeof(Block), blocks, used * sizeof(Block));
  }
}

/// The scales of a batch as its blocks store them.
struct StoredScales {
  std::uint16_t half[kColumns];  ///< binary16
  alignas(64) float value[kColumns];
  Floats inverse;  ///< 0 for a scale of 0

  explicit StoredScales(const Floats& wanted) noexcept {
    wanted.store(value);
    // Loops that are unrolled are not vectorized any more.
#pragma GCC unroll 1
    for (int c = 0; c < kColumns; ++c) half[c] = to_half(value[c]);
#pragma GCC unroll 1
    for (int c = 0; c < kColumns; ++c) value[c] = f16_to_f32(half[c]);
    inverse = reciprocal_or_zero(Floats::load(value));
  }
};

/// Codes of [low, high], counted from low, nearest to the values of one block. Without an offset
/// zero is among the codes, so that no weight's error is more than that of coding zero.
template <int N>
SLUICE_INLINE void nearest_codes(const float* values, float inverse, float offset, int low,
                                 int high, std::uint8_t (&codes)[N]) noexcept {
  const float lowest = static_cast<float>(low);
  const float highest = static_cast<float>(high);
  for (int i = 0; i < N; i += kColumns) {
    const Floats code = clamp((Floats::load(values + i) - offset) * inverse, lowest, highest);
    store_bytes(codes + i, round(code) - lowest);
  }
}

/// Encodes to blocks that have a signed scale `d` and a function set_codes().
template <class Block, int N>
static inline void encode_symmetric_blocks(const EncodeRows& rows, std::byte* out, int low,
                                           int high, const SymmetricEffort& effort) noexcept {
  const auto encode = [&](const BlockBatch<N>& batch, Block* blocks, int used) noexcept {
    Floats wanted;
    for (std::size_t p = 0; p < kTileParts; ++p) {
      set_part(wanted, p, search_symmetric(TilePart<N>{batch.tile, p}, low, high, effort).scale);
    }
    const StoredScales scales(wanted * batch.tile.magnitude);
    for (int b = 0; b < used; ++b) {
      blocks[b].d = scales.half[b];
      BlockCodes<N> codes;
      nearest_codes(batch.values[b], scales.inverse[b], 0.0f, low, high, codes);
      blocks[b].set_codes(codes);
    }
  };
  encode_batches<Block, N>(rows, out, std::bit_width(static_cast<unsigned>(high)), encode);
}

/// Whether a block is certainly better than zeros, under the importance too: by sqrt(33) at most
/// its ratios differ from those of the search's weights. What the search cannot see, weights below
/// 2^-16 of the largest, is too little to matter; neither is d's rounding where d is a normal
/// number. An importance that vanished in the weights, though not in what it is multiplied with
/// when errors are told, says nothing: `weight` is the largest.
static inline simd::FloatMask clearly_coded(const Floats& coded, const Floats& energy,
                                            const Floats& weight, const Floats& d) noexcept {
  constexpr float kMuch = 0.05f * Tile<kBlock32>::kWeightUnit;
  return (coded > 0.95f * energy) & (energy > kMuch) & (weight > 0x1p-100f) & (d > 0x1p-14f) &
         (d < 60000.0f);
}

/// Encodes to blocks that have a scale `d`, an offset `m` and a function set_codes(), codes of
/// [0, high].
template <class Block>
static inline void encode_affine_blocks(const EncodeRows& rows, std::byte* out, int high,
                                        const AffineEffort& effort) noexcept {
  const auto encode = [&](const BlockBatch<kBlock32>& batch, Block* blocks, int used) noexcept {
    Floats wanted;
    Floats wanted_offset;
    Floats coded;  // the part of sum w x^2 that is
    for (std::size_t p = 0; p < kTileParts; ++p) {
      const TilePart<kBlock32> part{batch.tile, p};
      const AffineFit fit = search_affine<Offset::any>(part, affine_moments(part), high, effort);
      set_part(wanted, p, fit.scale);
      set_part(wanted_offset, p, fit.offset);
      set_part(coded, p, fit.score);
    }
    const StoredScales scales(wanted * batch.tile.magnitude);
    const StoredScales offsets(wanted_offset * batch.tile.magnitude);
    const Floats sure = select(
        clearly_coded(coded, batch.tile.wxx, batch.tile.column_weight, Floats::load(scales.value)),
        1.0f, Floats{});
    for (int b = 0; b < used; ++b) {
      blocks[b].d = scales.half[b];
      blocks[b].m = offsets.half[b];
      const float d = scales.value[b];
      const float m = offsets.value[b];
      Codes32 codes;
      nearest_codes(batch.values[b], scales.inverse[b], m, 0, high, codes);
      if (sure[b] == 0.0f) {
        float decoded[kBlock32];
        for (int i = 0; i < kBlock32; ++i) decoded[i] = d * static_cast<float>(codes[i]) + m;
        if (worse_than_zeros(batch.values[b], decoded, batch.importance[b], kBlock32)) {
          blocks[b].d = blocks[b].m = 0;
          std::memset(codes, 0, sizeof codes);
        }
      }
      blocks[b].set_codes(codes);
    }
  };
  // Offsets are anywhere, so that values minus offset span two units.
  encode_batches<Block, kBlock32>(rows, out, std::bit_width(static_cast<unsigned>(high)) - 1,
                                  encode);
}

/// The rest of a type whose block has a scale `d` and codes, which get_codes() and set_codes() turn
/// into its bits: a weight is d * (code + kLow), with codes of [0, kHigh - kLow].
template <class Block, int N = kBlock32>
struct SymmetricBlock : Block {
  static constexpr std::size_t kWeights = N;

  bool finite() const noexcept { return finite_half(this->d); }

  void decode(float* out) const noexcept {
    const float scale = f16_to_f32(this->d);
    BlockCodes<N> codes;
    this->get_codes(codes);
    for (int j = 0; j < N; ++j) out[j] = scale * static_cast<float>(codes[j] + Block::kLow);
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_symmetric_blocks<Block, N>(rows, out, Block::kLow, Block::kHigh, Block::kEffort);
  }
};

/// The same with an offset `m`: a weight is d * code + m, with codes of [0, kHigh].
template <class Block>
struct AffineBlock : Block {
  static constexpr std::size_t kWeights = kBlock32;

  bool finite() const noexcept { return finite_half(this->d) & finite_half(this->m); }

  void decode(float* out) const noexcept {
    const float scale = f16_to_f32(this->d);
    const float offset = f16_to_f32(this->m);
    Codes32 codes;
    this->get_codes(codes);
    for (int j = 0; j < kBlock32; ++j) out[j] = scale * static_cast<float>(codes[j]) + offset;
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_affine_blocks<Block>(rows, out, Block::kHigh, Block::kEffort);
  }
};

}  // namespace sluice::inline SLUICE_ISA
