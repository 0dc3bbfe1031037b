#pragma once

// The search behind Q6_K. A weight is d * scale * code, where scale is a small signed number of its
// sub-block, and d belongs to the super-block. Each sub-block gets the scale that it would like to
// have, rounded; the largest of them decides d. Zero is among the codes, so that no weight's error
// is more than that of coding zero, whatever the scales.

#include "codec/scale_search/super_block.h"
#include "codec/scale_search/symmetric.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct SymmetricSuperBlockType {
  int low;  ///< codes are of [low, high]
  int high;
  float lowest;  ///< scales are of [lowest, -1 - lowest]
  SymmetricEffort effort;
};

template <int N>
struct SymmetricSuperBlock {
  std::uint16_t d;
  std::int8_t scales[kSuperBlock / N];
  std::uint8_t codes[kSuperBlock];  ///< counted from the lowest
};

/// Encodes a tile that is one super-block. Codes are found from the values as they were given, with
/// the scales as a decoder computes them.
template <class V, int N>
static inline SymmetricSuperBlock<N> encode_symmetric_super_block(
    const SuperBlockTile<N>& super_block, const SymmetricSuperBlockType& type) noexcept {
  static_assert(SuperBlockTile<N>::kSuperBlocks == 1);
  Columns wanted;
  for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
    const TileLanes<V, N> lanes{super_block.tile, lane};
    const V found = search_symmetric(lanes, type.low, type.high, type.effort).scale;
    store(&wanted.at[lane], found * load<V>(&super_block.tile.magnitude.at[lane]));
  }
  // The scale of largest magnitude becomes `lowest`, the number of largest magnitude.
  float most = 0;
  for (const float scale : wanted.at) {
    most = magnitude_of(scale) > magnitude_of(most) ? scale : most;
  }
  SymmetricSuperBlock<N> result;
  result.d = stored_scale(most / type.lowest);
  const float d = f16_to_f32(result.d);
  const float per_d = d != 0 ? 1.0f / d : 0.0f;
  Columns number;
  Columns inverse;
  for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
    const V rounded = round_to_integer(
        clamp(load<V>(&wanted.at[lane]) * per_d, type.lowest, -1.0f - type.lowest));
    const V scale = rounded * d;
    store(&number.at[lane], rounded);
    store(&inverse.at[lane], scale != 0.0f ? 1.0f / scale : V{});
  }
  const float lowest = static_cast<float>(type.low);
  const float highest = static_cast<float>(type.high);
  for (int s = 0; s < kColumns; ++s) {
    result.scales[s] = static_cast<std::int8_t>(number.at[s]);
    for (int i = s * N; i < (s + 1) * N; i += kLanes<V>) {
      const V code = clamp(load<V>(super_block.values[0] + i) * inverse.at[s], lowest, highest);
      store_bytes(result.codes + i, round_to_integer(code) - lowest);
    }
  }
  return result;
}

}  // namespace sluice::inline SLUICE_ISA
