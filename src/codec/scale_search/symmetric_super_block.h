#pragma once

// The search behind Q6_K. A weight is d * scale * code, where scale is a small signed number of its
// sub-block, and d belongs to the super-block. The steps are those of affine_super_block.h.

#include "codec/scale_search/super_block.h"
#include "codec/scale_search/symmetric.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct SymmetricSuperBlockType {
  int low;  ///< codes are of [low, high]
  int high;
  float lowest;  ///< scales are of [lowest, -1 - lowest]
  SymmetricEffort effort;
  int rounds;  ///< of fitting d to the scales and codes chosen
  int reach;   ///< how far from the rounded wanted scale to try
};

template <int N>
struct SymmetricSuperBlock {
  std::uint16_t d;
  std::int8_t scales[kSuperBlock / N];
  std::uint8_t codes[kSuperBlock];  ///< counted from the lowest
};

/// Numbers are in units of the tile's values.
struct SymmetricChoice {
  std::uint16_t d;
  Columns scale;
  Columns cc;
  Columns xc;
  double total_gain;  ///< the part of sum w x^2 that is coded
};

/// The search for a tile that is one super-block.
template <class V, int N>
class SymmetricSuperBlockSearch {
 public:
  SymmetricSuperBlockSearch(const SuperBlockTile<N>& super_block,
                            const SymmetricSuperBlockType& type) noexcept
      : super_block_(super_block), type_(type) {
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const SymmetricFit<V> fit = search_symmetric(TileLanes<V, N>{super_block.tile, lane},
                                                   type.low, type.high, type.effort);
      store(&wanted_scale_.at[lane], fit.scale * load<V>(&super_block.relative_magnitude.at[lane]));
    }
  }

  SymmetricChoice search() const noexcept {
    // The scale of largest magnitude becomes `lowest`, the number of largest magnitude.
    float most = 0;
    for (const float scale : wanted_scale_.at) {
      most = magnitude_of(scale) > magnitude_of(most) ? scale : most;
    }
    SymmetricChoice best = choose(most / type_.lowest);
    for (int round = 0; round < type_.rounds; ++round) {
      const SymmetricChoice next = choose(fit_d(best));
      if (next.total_gain > best.total_gain) best = next;
    }
    return best;
  }

 private:
  static_assert(SuperBlockTile<N>::kSuperBlocks == 1);

  /// Chooses every sub-block's scale for a d that is first rounded to binary16.
  SymmetricChoice choose(float wanted_d) const noexcept {
    const float magnitude = super_block_.magnitude[0];
    SymmetricChoice choice;
    choice.d = stored_scale(wanted_d * magnitude);
    const float d = f16_to_f32(choice.d) * safe_reciprocal(magnitude);
    const float per_d = d != 0 ? 1.0f / d : 0.0f;
    const float highest = -1.0f - type_.lowest;
    Columns gain;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const TileLanes<V, N> lanes{super_block_.tile, lane};
      const V scale0 =
          round_to_integer(clamp(load<V>(&wanted_scale_.at[lane]) * per_d, type_.lowest, highest));
      const V unit = load<V>(&super_block_.relative_magnitude.at[lane]);
      // Zeros are always possible, so no sub-block is worse than zeros.
      V best_scale{};
      V best_gain{};
      V best_cc{};
      V best_xc{};
      for (int step = -type_.reach; step <= type_.reach; ++step) {
        const V number = clamp(scale0 + static_cast<float>(step), type_.lowest, highest);
        const V scale = number * d;
        const V inverse = scale != 0.0f ? unit / scale : V{};
        SymmetricMoments<V> codes = code_symmetric(lanes, inverse, type_.low, type_.high);
        codes.xc *= unit;
        const V coded = scale * (2.0f * codes.xc - scale * codes.cc);
        const auto better = coded > best_gain;
        best_gain = better ? coded : best_gain;
        best_scale = better ? number : best_scale;
        best_cc = better ? codes.cc : best_cc;
        best_xc = better ? codes.xc : best_xc;
      }
      store(&choice.scale.at[lane], best_scale);
      store(&gain.at[lane], best_gain);
      store(&choice.cc.at[lane], best_cc);
      store(&choice.xc.at[lane], best_xc);
    }
    choice.total_gain = 0;
    for (int c = 0; c < kColumns; ++c) {
      choice.total_gain += double{super_block_.tile.column_weight.at[c]} * gain.at[c];
    }
    return choice;
  }

  /// The least-squares d for a choice's scales and codes.
  float fit_d(const SymmetricChoice& choice) const noexcept {
    double pp = 0;
    double xp = 0;
    for (int c = 0; c < kColumns; ++c) {
      const double weight = super_block_.tile.column_weight.at[c];
      const double scale = choice.scale.at[c];
      pp += weight * scale * scale * choice.cc.at[c];
      xp += weight * scale * choice.xc.at[c];
    }
    return pp > 0 ? static_cast<float>(xp / pp) : 0.0f;
  }

  const SuperBlockTile<N>& super_block_;
  const SymmetricSuperBlockType& type_;
  Columns wanted_scale_;
};

/// Encodes a super-block. Codes are found anew from the values as they were given, with the scales
/// as a decoder computes them.
template <class V, int N>
static inline SymmetricSuperBlock<N> encode_symmetric_super_block(
    const SuperBlockTile<N>& super_block, const SymmetricSuperBlockType& type) noexcept {
  const SymmetricChoice best = SymmetricSuperBlockSearch<V, N>(super_block, type).search();
  const float* values = super_block.values[0];
  const float d = f16_to_f32(best.d);
  const float lowest = static_cast<float>(type.low);
  const float highest = static_cast<float>(type.high);
  SymmetricSuperBlock<N> result;
  result.d = best.d;
  for (int s = 0; s < kSuperBlock / N; ++s) {
    result.scales[s] = static_cast<std::int8_t>(best.scale.at[s]);
    const float scale = d * best.scale.at[s];
    const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
    for (int i = s * N; i < (s + 1) * N; i += kLanes<V>) {
      const V code = clamp(load<V>(values + i) * inverse, lowest, highest);
      store_bytes(result.codes + i, round_to_integer(code) - lowest);
    }
  }
  return result;
}

}  // namespace sluice::inline SLUICE_ISA
