#pragma once

// The search behind Q3_K. A weight is d * number * code, where number is a small signed integer of
// its sub-block, code one of a few signed integers, and d belongs to the super-block. As in Q6_K,
// but codes are so coarse that rounding a sub-block's scale to a multiple of d moves them.
//
// 1. Each sub-block gets the scale that it would like to have.
// 2. d is the one, of several, of which these are most nearly multiples, by the error that it costs
//    each sub-block to be off its best scale while its codes stay.
// 3. Sub-blocks are coded again with the multiples near the scale they would like, and keep the
//    best.
// 4. d is fitted by least squares to these choices, and 3 is repeated.
// 5. Least squares shrinks; what d has to be multiplied by to be unbiased is found for
//    bias_correction.h.

#include <cstdint>

#include "codec/scale_search/super_block.h"
#include "codec/scale_search/symmetric.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct SymmetricChoiceType {
  int low;  ///< codes are of [low, high]
  int high;
  float lowest;            ///< numbers are of [lowest, -1 - lowest]
  SymmetricEffort effort;  ///< of step 1; no refinements
  int rounds;              ///< of step 4
  int reach;               ///< of step 3: how far from the nearest number to try
};

/// d as stored, and each sub-block's number.
struct SymmetricChoice {
  std::uint16_t d;
  Columns number;
  float unbiased_factor;  ///< what to multiply d by, codes staying, to be unbiased: 1 or more
};

/// The same tree of additions whatever the lanes.
static inline float sum_of_columns(const Columns& columns) noexcept {
  static_assert(kColumns == 16);
  Float4 part[4];
  std::memcpy(part, columns.at, sizeof part);
  const Float4 sum = (part[0] + part[2]) + (part[1] + part[3]);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

template <class V, int N>
class SymmetricChoiceSearch {
 public:
  static_assert(SuperBlockTile<N>::kSuperBlocks == 1);

  SymmetricChoiceSearch(const SuperBlockTile<N>& super_block,
                        const SymmetricChoiceType& type) noexcept
      : super_block_(super_block), type_(type) {
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const SymmetricFit<V> fit = search_symmetric(TileLanes<V, N>{super_block.tile, lane},
                                                   type.low, type.high, type.effort);
      const V unit = load<V>(&super_block.relative_magnitude.at[lane]);
      const V weight = load<V>(&super_block.tile.column_weight.at[lane]);
      store(&wanted_.at[lane], fit.scale * unit);
      store(&gain_.at[lane], fit.score * weight * unit * unit);
      store(&cc_.at[lane], fit.cc * weight);
    }
  }

  SymmetricChoice search() const noexcept {
    SymmetricChoice best{};
    float best_gain = 0;
    float best_xy = 0;
    float wanted = nearest_common_divisor();
    for (int round = 0; round <= type_.rounds; ++round) {
      const std::uint16_t d = stored_scale(wanted * super_block_.magnitude[0]);
      if (round > 0 && d == best.d) break;
      const Trial trial = choose(d);
      if (trial.gain > best_gain) {
        best_gain = trial.gain;
        best = {d, trial.number, 1};
        best_xy = trial.xy;
      }
      wanted = trial.refit;
    }
    best.unbiased_factor = unbiased_factor(best_xy * in_units(best.d));
    return best;
  }

 private:
  V nearest_number(V value) const noexcept {
    return round_to_integer(clamp(value, type_.lowest, -1.0f - type_.lowest));
  }

  float in_units(std::uint16_t d) const noexcept {
    return f16_to_f32(d) * safe_reciprocal(super_block_.magnitude[0]);
  }

  /// sum w x^2 / sum w x y for decoded values y.
  float unbiased_factor(float xy) const noexcept {
    Columns energy;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const V unit = load<V>(&super_block_.relative_magnitude.at[lane]);
      store(&energy.at[lane], load<V>(&super_block_.tile.wxx.at[lane]) *
                                  load<V>(&super_block_.tile.column_weight.at[lane]) * unit * unit);
    }
    const float xx = sum_of_columns(energy);
    // Where more than a fifth of the energy is lost, the question is not one of bias.
    constexpr float kMost = 1.25f;
    return xx > xy && xx < kMost * xy ? xx / xy : 1.0f;
  }

  /// The largest scale becomes the lowest number, or one a little inside or beyond it. One lane,
  /// one divisor. 0 if none is better than zeros.
  float nearest_common_divisor() const noexcept {
    float most = 0;
    for (const float scale : wanted_.at) {
      most = magnitude_of(scale) > magnitude_of(most) ? scale : most;
    }
    static constexpr Columns kCount = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
    constexpr float kFirst = 0.8f;
    constexpr float kStep = 0.5f / (kColumns - 1);
    Columns divisor;
    Columns error;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const V d = (load<V>(&kCount.at[lane]) * kStep + kFirst) * (most / type_.lowest);
      const V per_d = d != 0.0f ? 1.0f / d : V{};
      V sum{};
      for (int c = 0; c < kColumns; ++c) {
        const V off = wanted_.at[c] - nearest_number(wanted_.at[c] * per_d) * d;
        sum += off * off * cc_.at[c] - gain_.at[c];
      }
      store(&divisor.at[lane], d);
      store(&error.at[lane], sum);
    }
    float best = 0;
    float least = 0;
    for (int c = 0; c < kColumns; ++c) {
      best = error.at[c] < least ? divisor.at[c] : best;
      least = error.at[c] < least ? error.at[c] : least;
    }
    return best;
  }

  /// What a d leads to.
  struct Trial {
    Columns number;
    float gain;   ///< the part of sum w x^2 that is coded
    float xy;     ///< sum w x y, y = number * code
    float refit;  ///< the least-squares d for these numbers and codes
  };

  Trial choose(std::uint16_t stored) const noexcept {
    const float d = in_units(stored);
    const float per_d = d != 0 ? 1.0f / d : 0.0f;
    Trial trial;
    Columns gains;
    Columns xy;  // y = number * code
    Columns yy;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const TileLanes<V, N> lanes{super_block_.tile, lane};
      const V unit = load<V>(&super_block_.relative_magnitude.at[lane]);
      const V weight = load<V>(&super_block_.tile.column_weight.at[lane]);
      const V nearest = nearest_number(load<V>(&wanted_.at[lane]) * per_d);
      // Zeros are always possible, so no sub-block is worse than zeros.
      V best_number{};
      V best_gain{};
      V best_xy{};
      V best_yy{};
      for (int step = -type_.reach; step <= type_.reach; ++step) {
        const V number =
            clamp(nearest + static_cast<float>(step), type_.lowest, -1.0f - type_.lowest);
        const V scale = number * d;
        const V inverse = scale != 0.0f ? unit / scale : V{};
        const SymmetricMoments<V> codes = code_symmetric(lanes, inverse, type_.low, type_.high);
        const V c_xy = number * codes.xc * unit;
        const V c_yy = number * number * codes.cc;
        const V gain = (2.0f * c_xy - c_yy * d) * d;
        const auto better = gain > best_gain;
        best_number = better ? number : best_number;
        best_gain = better ? gain : best_gain;
        best_xy = better ? c_xy : best_xy;
        best_yy = better ? c_yy : best_yy;
      }
      store(&trial.number.at[lane], best_number);
      store(&gains.at[lane], best_gain * weight);
      store(&xy.at[lane], best_xy * weight);
      store(&yy.at[lane], best_yy * weight);
    }
    trial.gain = sum_of_columns(gains);
    const float sum_yy = sum_of_columns(yy);
    trial.xy = sum_of_columns(xy);
    trial.refit = sum_yy > 0 ? trial.xy / sum_yy : 0.0f;
    return trial;
  }

  const SuperBlockTile<N>& super_block_;
  const SymmetricChoiceType& type_;
  // With the scale that a sub-block would like; in units of the super-block's magnitude.
  Columns wanted_;
  Columns gain_;
  Columns cc_;
};

}  // namespace sluice::inline SLUICE_ISA
