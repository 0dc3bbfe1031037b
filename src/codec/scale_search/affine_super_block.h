#pragma once

// The search behind Q2_K, Q4_K and Q5_K. A weight is d * scale * code - dmin * min, where scale and
// min are small unsigned numbers of its sub-block, and d and dmin belong to the super-block.
//
// 1. Each sub-block gets the scale and offset that it would like to have.
// 2. d and dmin are started so that the largest of them fit.
// 3. For a given d and dmin each sub-block chooses its scale and min by the error that is left
// after
//    coding again with exactly what will be stored.
// 4. d and dmin are fitted by least squares to these choices, and 3 is repeated.
// 5. Least squares shrinks: along the true values the decoded ones are too small on average, and
// over
//    the layers of a model shrinkage adds up where noise averages out. So d and dmin are at last
//    multiplied by what makes the decoded values unbiased, while the codes stay. For Q2_K this
//    takes about a tenth off the divergence of a real model.

#include "codec/scale_search/super_block.h"
#include "codec/scale_search/zero_guard.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct AffineSuperBlockType {
  float high;           ///< the largest code
  float largest;        ///< the largest scale and the largest min of a sub-block
  AffineEffort effort;  ///< of step 1
  int rounds;           ///< of step 4
  int reach;            ///< of step 3: how far from the rounded wanted scale to try
};

template <int N>
struct AffineSuperBlock {
  std::uint16_t d;
  std::uint16_t dmin;
  std::uint8_t scales[kSuperBlock / N];
  std::uint8_t mins[kSuperBlock / N];
  std::uint8_t codes[kSuperBlock];
};

/// One number a sub-block.
template <int N>
struct SubBlockValues {
  alignas(64) float at[kSuperBlock / N];
};

/// Numbers are in units of the tile's values.
template <int N>
struct AffineChoice {
  std::uint16_t d;
  std::uint16_t dmin;
  SubBlockValues<N> scale;
  SubBlockValues<N> min;
  SubBlockValues<N> error;
  CodeMoments<SubBlockValues<N>> codes;
  double total_error;
};

template <class V, int N>
class AffineSuperBlockSearch {
 public:
  AffineSuperBlockSearch(const SuperBlockTile<N>& super_block,
                         const AffineSuperBlockType& type) noexcept
      : super_block_(super_block), type_(type) {
    for (int lane = 0; lane < kSubBlocks; lane += kLanes<V>) {
      const Lanes lanes{super_block_.tile, lane};
      const AffineMoments<V> moments = affine_moments(lanes);
      store(&moments_.w.at[lane], moments.w);
      store(&moments_.wx.at[lane], moments.wx);
      store(&zero_error_.at[lane], zero_error(lanes));
      const auto fit = search_affine<Offset::not_positive>(lanes, type_.high, type_.effort);
      store(&wanted_scale_.at[lane], fit.scale);
      store(&wanted_offset_.at[lane], fit.offset);
    }
  }

  AffineChoice<N> search() const noexcept {
    float most_scale = 0;
    float most_min = 0;
    for (int s = 0; s < kSubBlocks; ++s) {
      most_scale = std::max(most_scale, wanted_scale_.at[s]);
      most_min = std::max(most_min, -wanted_offset_.at[s]);
    }
    AffineChoice<N> best = choose(most_scale / type_.largest, most_min / type_.largest);
    AffineChoice<N> choice = best;
    for (int round = 0; round < type_.rounds; ++round) {
      choice = refit(choice);
      if (choice.total_error < best.total_error) best = choice;
    }
    return best;
  }

  /// What decoded values have to be multiplied by to be unbiased: sum w x^2 / sum w x y.
  float unbiased_factor(const AffineChoice<N>& choice) const noexcept {
    const float unit = safe_reciprocal(super_block_.magnitude);
    const double d = f16_to_f32(choice.d) * unit;
    const double dmin = f16_to_f32(choice.dmin) * unit;
    double xx = 0;
    double xy = 0;
    for (int s = 0; s < kSubBlocks; ++s) {
      const double weight = super_block_.tile.column_weight[s];
      xx += weight * zero_error_.at[s];
      xy += weight * (d * choice.scale.at[s] * choice.codes.xc.at[s] -
                      dmin * choice.min.at[s] * moments_.wx.at[s]);
    }
    // Where more than a fifth of the energy is lost, the question is not one of bias.
    constexpr double kMost = 1.25;
    return xx < kMost * xy ? static_cast<float>(std::max(xx / xy, 1.0)) : 1.0f;
  }

 private:
  static constexpr int kSubBlocks = kSuperBlock / N;
  using Lanes = TileLanes<V, N, kSubBlocks>;

  /// Chooses every sub-block's scale and min. d and dmin are first rounded to binary16, so that the
  /// codes are those of what will be stored.
  AffineChoice<N> choose(float wanted_d, float wanted_dmin) const noexcept {
    AffineChoice<N> choice;
    choice.d = stored_scale(wanted_d * super_block_.magnitude);
    choice.dmin = stored_scale(wanted_dmin * super_block_.magnitude);
    const float unit = safe_reciprocal(super_block_.magnitude);
    const float d = f16_to_f32(choice.d) * unit;
    const float dmin = f16_to_f32(choice.dmin) * unit;
    const float per_d = d > 0 ? 1.0f / d : 0.0f;
    const float per_dmin = dmin > 0 ? 1.0f / dmin : 0.0f;
    for (int lane = 0; lane < kSubBlocks; lane += kLanes<V>) {
      const Lanes lanes{super_block_.tile, lane};
      // Zeros are always possible, so no sub-block is worse than zeros.
      V best_scale{};
      V best_min{};
      Coding<V> best{load<V>(&zero_error_.at[lane]), {}};
      const auto consider = [&](V scale, V min) {
        const Coding<V> coding = code_affine(lanes, scale * d, -(min * dmin), 0.0f, type_.high);
        const auto better = coding.error < best.error;
        best_scale = better ? scale : best_scale;
        best_min = better ? min : best_min;
        best.error = better ? coding.error : best.error;
        best.codes.c = better ? coding.codes.c : best.codes.c;
        best.codes.cc = better ? coding.codes.cc : best.codes.cc;
        best.codes.xc = better ? coding.codes.xc : best.codes.xc;
        return coding.codes;
      };
      const V w = load<V>(&moments_.w.at[lane]);
      const V wx = load<V>(&moments_.wx.at[lane]);
      const V scale0 = nearest_number(load<V>(&wanted_scale_.at[lane]) * per_d);
      const V min0 = nearest_number(load<V>(&wanted_offset_.at[lane]) * -per_dmin);
      for (int step = -type_.reach; step <= type_.reach; ++step) {
        const V scale = clamp(scale0 + static_cast<float>(step), 0.0f, type_.largest);
        const CodeMoments<V> codes = consider(scale, min0);
        // The least-squares min for these codes at this scale.
        consider(scale, nearest_number((scale * d * codes.c - wx) / w * per_dmin));
      }
      store(&choice.scale.at[lane], best_scale);
      store(&choice.min.at[lane], best_min);
      store(&choice.error.at[lane], best.error);
      store(&choice.codes.c.at[lane], best.codes.c);
      store(&choice.codes.cc.at[lane], best.codes.cc);
      store(&choice.codes.xc.at[lane], best.codes.xc);
    }
    choice.total_error = 0;
    for (int s = 0; s < kSubBlocks; ++s) {
      choice.total_error += double{super_block_.tile.column_weight[s]} * choice.error.at[s];
    }
    return choice;
  }

  /// Chooses again with the d and dmin that fit the choice's scales, mins and codes best.
  AffineChoice<N> refit(const AffineChoice<N>& choice) const noexcept {
    // Normal equations of x = d * p - dmin * m with p = scale * code and m = min.
    double pp = 0, pm = 0, mm = 0, xp = 0, xm = 0;
    for (int s = 0; s < kSubBlocks; ++s) {
      const double weight = super_block_.tile.column_weight[s];
      const double scale = choice.scale.at[s];
      const double min = choice.min.at[s];
      pp += weight * scale * scale * choice.codes.cc.at[s];
      pm += weight * scale * min * choice.codes.c.at[s];
      mm += weight * min * min * moments_.w.at[s];
      xp += weight * scale * choice.codes.xc.at[s];
      xm += weight * min * moments_.wx.at[s];
    }
    const double determinant = pp * mm - pm * pm;
    double d = pp > 0 ? xp / pp : 0;
    double dmin = 0;
    if (determinant > 1e-9 * pp * mm) {
      d = (xp * mm - xm * pm) / determinant;
      dmin = (xp * pm - xm * pp) / determinant;
    }
    return choose(static_cast<float>(std::max(d, 0.0)), static_cast<float>(std::max(dmin, 0.0)));
  }

  V nearest_number(V value) const noexcept {
    return round_to_integer(clamp(value, 0.0f, type_.largest));
  }

  const SuperBlockTile<N>& super_block_;
  const AffineSuperBlockType& type_;
  AffineMoments<SubBlockValues<N>> moments_;
  SubBlockValues<N> zero_error_;
  SubBlockValues<N> wanted_scale_;
  SubBlockValues<N> wanted_offset_;  ///< not positive
};

/// Encodes a super-block. Codes are found anew from the values as they were given, with the scales
/// as a decoder computes them.
template <class V, int N>
static inline AffineSuperBlock<N> encode_affine_super_block(
    const SuperBlockTile<N>& super_block, const AffineSuperBlockType& type) noexcept {
  const AffineSuperBlockSearch<V, N> search(super_block, type);
  const AffineChoice<N> choice = search.search();
  const float d = f16_to_f32(choice.d);
  const float dmin = f16_to_f32(choice.dmin);
  const float factor = search.unbiased_factor(choice);

  AffineSuperBlock<N> result;
  result.d = stored_scale(d * factor);
  result.dmin = stored_scale(dmin * factor);
  float decoded[kSuperBlock];
  for (int s = 0; s < kSuperBlock / N; ++s) {
    result.scales[s] = static_cast<std::uint8_t>(choice.scale.at[s]);
    result.mins[s] = static_cast<std::uint8_t>(choice.min.at[s]);
    const float scale = d * choice.scale.at[s];
    const float offset = dmin * choice.min.at[s];
    const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    const float stored = f16_to_f32(result.d) * choice.scale.at[s];
    const float stored_offset = f16_to_f32(result.dmin) * choice.min.at[s];
    for (int i = s * N; i < (s + 1) * N; ++i) {
      const float code =
          round_to_integer(clamp((super_block.values[i] + offset) * inverse, 0.0f, type.high));
      result.codes[i] = static_cast<std::uint8_t>(static_cast<int>(code));
      decoded[i] = stored * code - stored_offset;
    }
  }
  if (worse_than_zeros(super_block.values, decoded, super_block.importance, kSuperBlock)) {
    return {};
  }
  return result;
}

}  // namespace sluice::inline SLUICE_ISA
