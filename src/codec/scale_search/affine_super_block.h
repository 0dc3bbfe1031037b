#pragma once

// The search behind Q2_K, Q4_K and Q5_K. A weight is d * scale * code - dmin * min, where scale and
// min are small unsigned numbers of its sub-block, and d and dmin belong to the super-block.
//
// 1. Each sub-block gets the scale and offset that it would like to have.
// 2. d and dmin are started so that the largest of them fit.
// 3. For a given d and dmin each sub-block tries the scales near the wanted one: it is coded with
//    each, and gets the min that is best for the codes.
// 4. d and dmin are fitted by least squares to these choices, and 3 is repeated.
// 5. Least squares shrinks: along the true values the decoded ones are too small on average, and
//    over the layers of a model shrinkage adds up where noise averages out. So d and dmin are at
//    last multiplied by what makes the decoded values unbiased, or a little less
//    (bias_correction.h), while the codes stay. For Q2_K this takes about a tenth off the divergence
//    of a real model.

#include <bit>

#include "codec/bias_correction.h"
#include "codec/scale_search/super_block.h"
#include "codec/scale_search/zero_guard.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct AffineSuperBlockType {
  int high;             ///< the largest code
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

/// What is chosen for a tile of super-blocks. Numbers are in units of the tile's values.
template <int N>
struct AffineChoice {
  static constexpr int kSubBlocks = SuperBlockTile<N>::kSubBlocks;
  static constexpr int kSuperBlocks = SuperBlockTile<N>::kSuperBlocks;

  std::uint16_t d[kSuperBlocks];
  std::uint16_t dmin[kSuperBlocks];
  double total_gain[kSuperBlocks];
  Columns scale;
  Columns min;
  Columns gain;  ///< the part of sum w x^2 that is coded
  CodeMoments<Columns> codes;

  /// Takes over those super-blocks that another choice has more gain from.
  void take_better(const AffineChoice& other) noexcept {
    for (int b = 0; b < kSuperBlocks; ++b) {
      if (other.total_gain[b] <= total_gain[b]) continue;
      d[b] = other.d[b];
      dmin[b] = other.dmin[b];
      total_gain[b] = other.total_gain[b];
      for (int c = b * kSubBlocks; c < (b + 1) * kSubBlocks; ++c) {
        scale.at[c] = other.scale.at[c];
        min.at[c] = other.min.at[c];
        gain.at[c] = other.gain.at[c];
        codes.c.at[c] = other.codes.c.at[c];
        codes.cc.at[c] = other.codes.cc.at[c];
        codes.xc.at[c] = other.codes.xc.at[c];
      }
    }
  }
};

template <class V, int N>
class AffineSuperBlockSearch {
 public:
  AffineSuperBlockSearch(const SuperBlockTile<N>& super_blocks,
                         const AffineSuperBlockType& type) noexcept
      : super_blocks_(super_blocks), type_(type) {
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const Lanes lanes{super_blocks_.tile, lane};
      const AffineMoments<V> moments = affine_moments(lanes);
      const V unit = load<V>(&super_blocks_.relative_magnitude.at[lane]);
      store(&moments_.w.at[lane], moments.w);
      store(&moments_.wx.at[lane], moments.wx * unit);
      const auto fit =
          search_affine<Offset::not_positive>(lanes, moments, type_.high, type_.effort);
      store(&wanted_scale_.at[lane], fit.scale * unit);
      store(&wanted_offset_.at[lane], fit.offset * unit);
    }
  }

  AffineChoice<N> search() const noexcept {
    float d[kSuperBlocks];
    float dmin[kSuperBlocks];
    for (int b = 0; b < kSuperBlocks; ++b) {
      float most_scale = 0;
      float most_min = 0;
      for (int c = b * kSubBlocks; c < (b + 1) * kSubBlocks; ++c) {
        most_scale = greater(most_scale, wanted_scale_.at[c]);
        most_min = greater(most_min, -wanted_offset_.at[c]);
      }
      d[b] = most_scale / type_.largest;
      dmin[b] = most_min / type_.largest;
    }
    AffineChoice<N> best = choose(d, dmin);
    AffineChoice<N> choice = best;
    for (int round = 0; round < type_.rounds; ++round) {
      for (int b = 0; b < kSuperBlocks; ++b) refit(choice, b, d[b], dmin[b]);
      choice = choose(d, dmin);
      best.take_better(choice);
    }
    return best;
  }

  /// What the decoded values of a super-block have to be multiplied by to be unbiased:
  /// sum w x^2 / sum w x y.
  float unbiased_factor(const AffineChoice<N>& choice, int super_block) const noexcept {
    const float unit = safe_reciprocal(super_blocks_.magnitude[super_block]);
    const double d = f16_to_f32(choice.d[super_block]) * unit;
    const double dmin = f16_to_f32(choice.dmin[super_block]) * unit;
    double xx = 0;
    double xy = 0;
    for (int c = super_block * kSubBlocks; c < (super_block + 1) * kSubBlocks; ++c) {
      const double weight = super_blocks_.tile.column_weight.at[c];
      xx += weight * double{super_blocks_.tile.wxx.at[c]} * super_blocks_.relative_magnitude.at[c] *
            super_blocks_.relative_magnitude.at[c];
      xy += weight * (d * choice.scale.at[c] * choice.codes.xc.at[c] -
                      dmin * choice.min.at[c] * moments_.wx.at[c]);
    }
    // Where more than a fifth of the energy is lost, the question is not one of bias.
    constexpr double kMost = 1.25;
    return xx < kMost * xy ? static_cast<float>(std::max(xx / xy, 1.0)) : 1.0f;
  }

 private:
  static constexpr int kSubBlocks = SuperBlockTile<N>::kSubBlocks;
  static constexpr int kSuperBlocks = SuperBlockTile<N>::kSuperBlocks;
  using Lanes = TileLanes<V, N>;

  /// Chooses every sub-block's scale and min. d and dmin are first rounded to binary16, so that the
  /// codes are those of what will be stored.
  AffineChoice<N> choose(const float (&wanted_d)[kSuperBlocks],
                         const float (&wanted_dmin)[kSuperBlocks]) const noexcept {
    AffineChoice<N> choice;
    Columns column_d;
    Columns column_dmin;
    for (int b = 0; b < kSuperBlocks; ++b) {
      const float magnitude = super_blocks_.magnitude[b];
      const float unit = safe_reciprocal(magnitude);
      choice.d[b] = stored_scale(wanted_d[b] * magnitude);
      choice.dmin[b] = stored_scale(wanted_dmin[b] * magnitude);
      const float d = f16_to_f32(choice.d[b]) * unit;
      const float dmin = f16_to_f32(choice.dmin[b]) * unit;
      std::fill_n(&column_d.at[b * kSubBlocks], kSubBlocks, d);
      std::fill_n(&column_dmin.at[b * kSubBlocks], kSubBlocks, dmin);
    }
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const Lanes lanes{super_blocks_.tile, lane};
      const V d = load<V>(&column_d.at[lane]);
      const V dmin = load<V>(&column_dmin.at[lane]);
      const V per_d = d > 0.0f ? 1.0f / d : V{};
      const V per_dmin = dmin > 0.0f ? 1.0f / dmin : V{};
      const V unit = load<V>(&super_blocks_.relative_magnitude.at[lane]);
      const V per_unit = safe_reciprocal(unit);
      const V w = load<V>(&moments_.w.at[lane]);
      const V wx = load<V>(&moments_.wx.at[lane]);
      // Zeros are always possible, so no sub-block is worse than zeros.
      V best_scale{};
      V best_min{};
      V best_gain{};
      CodeMoments<V> best_codes{};
      const V scale0 = nearest_number(load<V>(&wanted_scale_.at[lane]) * per_d);
      const V min0 = nearest_number(load<V>(&wanted_offset_.at[lane]) * -per_dmin);
      for (int step = -type_.reach; step <= type_.reach; ++step) {
        const V number = clamp(scale0 + static_cast<float>(step), 0.0f, type_.largest);
        const V scale = number * d;
        const V inverse = scale > 0.0f ? unit / scale : V{};
        CodeMoments<V> codes = code_affine(lanes, inverse, -(min0 * dmin * per_unit), type_.high);
        codes.xc *= unit;
        const V lack = scale * codes.c - wx;  // least squares: offset = lack / w
        const V min = nearest_number(lack / w * per_dmin);
        const V offset = min * dmin;
        const V gain =
            scale * (2.0f * codes.xc - scale * codes.cc) + offset * (2.0f * lack - offset * w);
        const auto better = gain > best_gain;
        best_gain = better ? gain : best_gain;
        best_scale = better ? number : best_scale;
        best_min = better ? min : best_min;
        best_codes.c = better ? codes.c : best_codes.c;
        best_codes.cc = better ? codes.cc : best_codes.cc;
        best_codes.xc = better ? codes.xc : best_codes.xc;
      }
      store(&choice.scale.at[lane], best_scale);
      store(&choice.min.at[lane], best_min);
      store(&choice.gain.at[lane], best_gain);
      store(&choice.codes.c.at[lane], best_codes.c);
      store(&choice.codes.cc.at[lane], best_codes.cc);
      store(&choice.codes.xc.at[lane], best_codes.xc);
    }
    for (int b = 0; b < kSuperBlocks; ++b) {
      choice.total_gain[b] = 0;
      for (int c = b * kSubBlocks; c < (b + 1) * kSubBlocks; ++c) {
        choice.total_gain[b] += double{super_blocks_.tile.column_weight.at[c]} * choice.gain.at[c];
      }
    }
    return choice;
  }

  /// The d and dmin that fit the scales, mins and codes chosen for a super-block best.
  void refit(const AffineChoice<N>& choice, int super_block, float& best_d,
             float& best_dmin) const noexcept {
    // Normal equations of x = d * p - dmin * m with p = scale * code and m = min.
    double pp = 0, pm = 0, mm = 0, xp = 0, xm = 0;
    for (int c = super_block * kSubBlocks; c < (super_block + 1) * kSubBlocks; ++c) {
      const double weight = super_blocks_.tile.column_weight.at[c];
      const double scale = choice.scale.at[c];
      const double min = choice.min.at[c];
      pp += weight * scale * scale * choice.codes.cc.at[c];
      pm += weight * scale * min * choice.codes.c.at[c];
      mm += weight * min * min * moments_.w.at[c];
      xp += weight * scale * choice.codes.xc.at[c];
      xm += weight * min * moments_.wx.at[c];
    }
    const double determinant = pp * mm - pm * pm;
    double d = pp > 0 ? xp / pp : 0;
    double dmin = 0;
    if (determinant > 1e-9 * pp * mm) {
      d = (xp * mm - xm * pm) / determinant;
      dmin = (xp * pm - xm * pp) / determinant;
    }
    best_d = static_cast<float>(std::max(d, 0.0));
    best_dmin = static_cast<float>(std::max(dmin, 0.0));
  }

  V nearest_number(V value) const noexcept {
    return round_to_integer(clamp(value, 0.0f, type_.largest));
  }

  const SuperBlockTile<N>& super_blocks_;
  const AffineSuperBlockType& type_;
  AffineMoments<Columns> moments_;
  Columns wanted_scale_;
  Columns wanted_offset_;  ///< not positive
};

/// One super-block of a tile as it was chosen, its d and dmin multiplied by `factor`. Codes are
/// found anew from the values as they were given, with the scales as a decoder computes them.
template <class V, int N>
static inline AffineSuperBlock<N> code_super_block(const SuperBlockTile<N>& super_blocks,
                                                   const AffineChoice<N>& choice, int super_block,
                                                   float factor, int high) noexcept {
  const float* values = super_blocks.values[super_block];
  const float d = f16_to_f32(choice.d[super_block]);
  const float dmin = f16_to_f32(choice.dmin[super_block]);
  AffineSuperBlock<N> result;
  result.d = stored_scale(d * factor);
  result.dmin = stored_scale(dmin * factor);
  const float stored_d = f16_to_f32(result.d);
  const float stored_dmin = f16_to_f32(result.dmin);
  float decoded[kSuperBlock];
  for (int s = 0; s < kSuperBlock / N; ++s) {
    const float scale_number = choice.scale.at[super_block * (kSuperBlock / N) + s];
    const float min_number = choice.min.at[super_block * (kSuperBlock / N) + s];
    result.scales[s] = static_cast<std::uint8_t>(scale_number);
    result.mins[s] = static_cast<std::uint8_t>(min_number);
    const float scale = d * scale_number;
    const float offset = dmin * min_number;
    const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    const float stored = stored_d * scale_number;
    const float stored_offset = stored_dmin * min_number;
    for (int i = s * N; i < (s + 1) * N; i += kLanes<V>) {
      const V code = round_to_integer(
          clamp((load<V>(values + i) + offset) * inverse, 0.0f, static_cast<float>(high)));
      store_bytes(result.codes + i, code);
      store(decoded + i, stored * code - stored_offset);
    }
  }
  if (worse_than_zeros(values, decoded, super_blocks.importance[super_block], kSuperBlock)) {
    return {};
  }
  return result;
}

/// Encodes all rows; pack(super-block found, block) fills in a block.
template <class V, int N, class Block, class Pack>
static inline void encode_affine_super_blocks(const EncodeRows& rows, std::byte* out,
                                              const AffineSuperBlockType& type,
                                              Pack pack) noexcept {
  for_each_super_block_tile<V, N>(
      rows, std::bit_width(static_cast<unsigned>(type.high)) - 1,
      [&](const SuperBlockTile<N>& tile, std::size_t first, int used) noexcept {
        const AffineSuperBlockSearch<V, N> search(tile, type);
        const AffineChoice<N> choice = search.search();
        for (int b = 0; b < used; ++b) {
          Block block;
          const float factor =
              correct_bias(search.unbiased_factor(choice, b), rows.bias_correction);
          pack(code_super_block<V>(tile, choice, b, factor, type.high), block);
          std::memcpy(out + (first + static_cast<std::size_t>(b)) * sizeof block, &block,
                      sizeof block);
        }
      });
}

}  // namespace sluice::inline SLUICE_ISA
