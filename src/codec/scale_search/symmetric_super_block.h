#pragma once

// The search behind Q6_K. A weight is d * scale * code, where scale is a small signed number of its
// sub-block, and d belongs to the super-block. The steps are those of affine_super_block.h.

#include "codec/scale_search/super_block.h"
#include "codec/scale_search/symmetric.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct SymmetricSuperBlockType {
  float low;  ///< codes are of [low, high]
  float high;
  float lowest;  ///< scales are of [lowest, -1 - lowest]
  SymmetricEffort effort;
  int rounds;  ///< of fitting d to the scales and codes chosen
  int reach;   ///< how far from the rounded wanted scale to try
};

template <int N>
struct SymmetricSuperBlock {
  std::uint16_t d;
  std::int8_t scales[kSuperBlock / N];
  std::int8_t codes[kSuperBlock];
};

/// Numbers are in units of the tile's values.
template <int N>
struct SymmetricChoice {
  std::uint16_t d;
  alignas(64) float scale[kSuperBlock / N];
  alignas(64) float error[kSuperBlock / N];
  alignas(64) float cc[kSuperBlock / N];
  alignas(64) float xc[kSuperBlock / N];
  double total_error;
};

/// Chooses every sub-block's scale for a d that is first rounded to binary16.
template <class V, int N>
static inline SymmetricChoice<N> choose_scales(const SuperBlockTile<N>& super_block,
                                               const SymmetricSuperBlockType& type,
                                               const float* wanted_scale, float wanted_d) noexcept {
  constexpr int kSubBlocks = kSuperBlock / N;
  SymmetricChoice<N> choice;
  choice.d = stored_scale(wanted_d * super_block.magnitude);
  const float d = f16_to_f32(choice.d) * safe_reciprocal(super_block.magnitude);
  const float per_d = d != 0 ? 1.0f / d : 0.0f;
  const float highest = -1.0f - type.lowest;
  for (int lane = 0; lane < kSubBlocks; lane += kLanes<V>) {
    const TileLanes<V, N, kSubBlocks> lanes{super_block.tile, lane};
    const V scale0 =
        round_to_integer(clamp(load<V>(wanted_scale + lane) * per_d, type.lowest, highest));
    // Zeros are always possible, so no sub-block is worse than zeros.
    V best_scale{};
    Coding<V> best{zero_error(lanes), {}};
    for (int step = -type.reach; step <= type.reach; ++step) {
      const V scale = clamp(scale0 + static_cast<float>(step), type.lowest, highest);
      const Coding<V> coding = code_affine(lanes, scale * d, V{}, type.low, type.high);
      const auto better = coding.error < best.error;
      best_scale = better ? scale : best_scale;
      best.error = better ? coding.error : best.error;
      best.codes.cc = better ? coding.codes.cc : best.codes.cc;
      best.codes.xc = better ? coding.codes.xc : best.codes.xc;
    }
    store(&choice.scale[lane], best_scale);
    store(&choice.error[lane], best.error);
    store(&choice.cc[lane], best.codes.cc);
    store(&choice.xc[lane], best.codes.xc);
  }
  choice.total_error = 0;
  for (int s = 0; s < kSubBlocks; ++s) {
    choice.total_error += double{super_block.tile.column_weight[s]} * choice.error[s];
  }
  return choice;
}

/// The least-squares d for a choice's scales and codes.
template <int N>
static inline float fit_d(const SuperBlockTile<N>& super_block,
                          const SymmetricChoice<N>& choice) noexcept {
  double pp = 0;
  double xp = 0;
  for (int s = 0; s < kSuperBlock / N; ++s) {
    const double weight = super_block.tile.column_weight[s];
    const double scale = choice.scale[s];
    pp += weight * scale * scale * choice.cc[s];
    xp += weight * scale * choice.xc[s];
  }
  return pp > 0 ? static_cast<float>(xp / pp) : 0.0f;
}

/// Encodes a super-block. Codes are found anew from the values as they were given, with the scales
/// as a decoder computes them.
template <class V, int N>
static inline SymmetricSuperBlock<N> encode_symmetric_super_block(
    const SuperBlockTile<N>& super_block, const SymmetricSuperBlockType& type) noexcept {
  constexpr int kSubBlocks = kSuperBlock / N;
  alignas(64) float wanted_scale[kSubBlocks];
  for (int lane = 0; lane < kSubBlocks; lane += kLanes<V>) {
    const TileLanes<V, N, kSubBlocks> lanes{super_block.tile, lane};
    store(&wanted_scale[lane], search_symmetric(lanes, type.low, type.high, type.effort).scale);
  }
  // The scale of largest magnitude becomes `lowest`, the number of largest magnitude.
  float most = 0;
  for (const float scale : wanted_scale) most = std::fabs(scale) > std::fabs(most) ? scale : most;

  SymmetricChoice<N> best = choose_scales<V>(super_block, type, wanted_scale, most / type.lowest);
  for (int round = 0; round < type.rounds; ++round) {
    const SymmetricChoice<N> next =
        choose_scales<V>(super_block, type, wanted_scale, fit_d(super_block, best));
    if (next.total_error < best.total_error) best = next;
  }

  SymmetricSuperBlock<N> result;
  result.d = best.d;
  for (int s = 0; s < kSubBlocks; ++s) {
    result.scales[s] = static_cast<std::int8_t>(best.scale[s]);
    const float scale = f16_to_f32(result.d) * best.scale[s];
    const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
    for (int i = 0; i < N; ++i) {
      const float code = super_block.values[s * N + i] * inverse;
      result.codes[s * N + i] =
          static_cast<std::int8_t>(round_to_integer(clamp(code, type.low, type.high)));
    }
  }
  return result;
}

}  // namespace sluice::inline SLUICE_ISA
