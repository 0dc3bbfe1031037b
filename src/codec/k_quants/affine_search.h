#pragma once

// The search behind Q2_K, Q4_K and Q5_K. A weight is d * scale * code - dmin * min, where scale and
// min are small unsigned numbers of its sub-block, and d and dmin belong to the super-block.
//
// 1. Each sub-block gets the scale and offset that it would like to have.
// 2. d and dmin are started so that the largest of them fit.
// 3. For a given d and dmin each sub-block tries the scales near the wanted one: it is coded with
//    each, and gets the min that is best for the codes.
// 4. d and dmin are fitted by least squares to these choices, and 3 is repeated.
//
// What d and dmin are multiplied by at last (super_block.h) takes about a tenth off the divergence
// of a real model for Q2_K.

#include <algorithm>
#include <bit>

#include "codec/affine.h"
#include "codec/k_quants/super_block.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct AffineSettings {
  int high;             ///< the largest code
  float largest;        ///< the largest scale and the largest min of a sub-block
  AffineEffort effort;  ///< of step 1
  int rounds;           ///< of step 4
  int reach;            ///< of step 3: how far from the rounded wanted scale to try
  float mean_share = 1;

  constexpr int tile_bits() const noexcept {
    return std::bit_width(static_cast<unsigned>(high)) - 1;
  }
};

/// What is stored of a super-block.
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
  float unbiased_factor[kSuperBlocks];  ///< what makes the decoded values unbiased: 1 or more
  Floats scale;
  Floats min;
  Floats gain;  ///< the part of sum w x^2 that is coded
  Floats c;     ///< sum w code
  Floats cc;    ///< sum w code^2
  Floats xc;    ///< sum w x code

  /// Takes over those super-blocks that another choice has more gain from.
  void take_better(const AffineChoice& other) noexcept {
    alignas(64) float better[kColumns];
    for (int b = 0; b < kSuperBlocks; ++b) {
      const bool more = other.total_gain[b] > total_gain[b];
      std::fill_n(&better[b * kSubBlocks], kSubBlocks, more ? 1.0f : 0.0f);
      if (!more) continue;
      d[b] = other.d[b];
      dmin[b] = other.dmin[b];
      total_gain[b] = other.total_gain[b];
    }
    const simd::FloatMask mask = Floats::load(better) > 0.0f;
    for (Floats AffineChoice::*const of :
         {&AffineChoice::scale, &AffineChoice::min, &AffineChoice::gain, &AffineChoice::c,
          &AffineChoice::cc, &AffineChoice::xc}) {
      this->*of = select(mask, other.*of, this->*of);
    }
  }
};

template <int N>
class AffineSearch {
 public:
  using Settings = AffineSettings;
  using SuperBlocks = SuperBlockTile<N>;

  AffineSearch(const SuperBlocks& super_blocks, const Settings& settings) noexcept
      : super_blocks_(super_blocks), settings_(settings) {
    for (std::size_t p = 0; p < kTileParts; ++p) {
      const TilePart<N> part{super_blocks_.tile, p};
      const AffineMoments moments = affine_moments(part);
      const AffineFit fit =
          search_affine<Offset::not_positive>(part, moments, settings.high, settings.effort);
      const FloatPart unit = part_of(super_blocks_.relative_magnitude, p);
      set_part(w_, p, moments.w);
      set_part(wx_, p, moments.wx * unit);
      set_part(wanted_scale_, p, fit.scale * unit);
      set_part(wanted_offset_, p, fit.offset * unit);
    }
  }

  AffineChoice<N> search() const noexcept {
    const Floats most_scale = most_of_block<kSubBlocks>(wanted_scale_);
    const Floats most_min = most_of_block<kSubBlocks>(-wanted_offset_);
    float d[kSuperBlocks];
    float dmin[kSuperBlocks];
    for (int b = 0; b < kSuperBlocks; ++b) {
      d[b] = most_scale[b * kSubBlocks] / settings_.largest;
      dmin[b] = most_min[b * kSubBlocks] / settings_.largest;
    }
    AffineChoice<N> best = choose(d, dmin);
    AffineChoice<N> choice = best;
    for (int round = 0; round < settings_.rounds; ++round) {
      for (int b = 0; b < kSuperBlocks; ++b) refit(choice, b, d[b], dmin[b]);
      choice = choose(d, dmin);
      best.take_better(choice);
    }
    for (int b = 0; b < kSuperBlocks; ++b) best.unbiased_factor[b] = unbiased_factor(best, b);
    return best;
  }

 private:
  static constexpr int kSubBlocks = SuperBlocks::kSubBlocks;
  static constexpr int kSuperBlocks = SuperBlocks::kSuperBlocks;

  /// Chooses every sub-block's scale and min. d and dmin are first rounded to binary16, so that the
  /// codes are those of what will be stored.
  AffineChoice<N> choose(const float (&wanted_d)[kSuperBlocks],
                         const float (&wanted_dmin)[kSuperBlocks]) const noexcept {
    AffineChoice<N> choice;
    alignas(64) float d[kColumns];
    alignas(64) float dmin[kColumns];
    for (int b = 0; b < kSuperBlocks; ++b) {
      const float magnitude = super_blocks_.magnitude[b];
      const float unit = safe_reciprocal(magnitude);
      choice.d[b] = to_half(wanted_d[b] * magnitude);
      choice.dmin[b] = to_half(wanted_dmin[b] * magnitude);
      std::fill_n(&d[b * kSubBlocks], kSubBlocks, f16_to_f32(choice.d[b]) * unit);
      std::fill_n(&dmin[b * kSubBlocks], kSubBlocks, f16_to_f32(choice.dmin[b]) * unit);
    }
    for (std::size_t p = 0; p < kTileParts; ++p) {
      choose_part(p, FloatPart::load(d + p * kPartColumns),
                  FloatPart::load(dmin + p * kPartColumns), choice);
    }
    for (int b = 0; b < kSuperBlocks; ++b) {
      choice.total_gain[b] = 0;
      for (int c = b * kSubBlocks; c < (b + 1) * kSubBlocks; ++c) {
        choice.total_gain[b] += double{super_blocks_.weight[c]} * choice.gain[c];
      }
    }
    return choice;
  }

  /// The same for the columns of a part.
  void choose_part(std::size_t p, const FloatPart& d, const FloatPart& dmin,
                   AffineChoice<N>& choice) const noexcept {
    const TilePart<N> part{super_blocks_.tile, p};
    const FloatPart per_d = select(d > 0.0f, 1.0f / d, 0.0f);
    const FloatPart per_dmin = select(dmin > 0.0f, 1.0f / dmin, 0.0f);
    const FloatPart unit = part_of(super_blocks_.relative_magnitude, p);
    const FloatPart per_unit = safe_reciprocal(unit);
    const FloatPart w = part_of(w_, p);
    const FloatPart wx = part_of(wx_, p);
    // Zeros are always possible, so no sub-block is worse than zeros.
    FloatPart best_scale{};
    FloatPart best_min{};
    FloatPart best_gain{};
    CodeMoments best_codes{};
    const FloatPart scale0 = nearest_number(part_of(wanted_scale_, p) * per_d);
    const FloatPart min0 = nearest_number(part_of(wanted_offset_, p) * -per_dmin);
    for (int step = -settings_.reach; step <= settings_.reach; ++step) {
      const FloatPart number = clamp(scale0 + static_cast<float>(step), 0.0f, settings_.largest);
      const FloatPart scale = number * d;
      const FloatPart inverse = select(scale > 0.0f, unit / scale, 0.0f);
      CodeMoments codes = code_affine(part, inverse, -(min0 * dmin * per_unit), settings_.high);
      codes.xc *= unit;
      const FloatPart lack = scale * codes.c - wx;  // least squares: offset = lack / w
      const FloatPart min = nearest_number(lack / w * per_dmin);
      const FloatPart offset = min * dmin;
      const FloatPart gain =
          scale * (2.0f * codes.xc - scale * codes.cc) + offset * (2.0f * lack - offset * w);
      const auto better = gain > best_gain;
      best_gain = select(better, gain, best_gain);
      best_scale = select(better, number, best_scale);
      best_min = select(better, min, best_min);
      best_codes.c = select(better, codes.c, best_codes.c);
      best_codes.cc = select(better, codes.cc, best_codes.cc);
      best_codes.xc = select(better, codes.xc, best_codes.xc);
    }
    set_part(choice.scale, p, best_scale);
    set_part(choice.min, p, best_min);
    set_part(choice.gain, p, best_gain);
    set_part(choice.c, p, best_codes.c);
    set_part(choice.cc, p, best_codes.cc);
    set_part(choice.xc, p, best_codes.xc);
  }

  /// The d and dmin that fit the scales, mins and codes chosen for a super-block best.
  void refit(const AffineChoice<N>& choice, int super_block, float& best_d,
             float& best_dmin) const noexcept {
    // Normal equations of x = d * p - dmin * m with p = scale * code and m = min.
    double pp = 0, pm = 0, mm = 0, xp = 0, xm = 0;
    for (int c = super_block * kSubBlocks; c < (super_block + 1) * kSubBlocks; ++c) {
      const double weight = super_blocks_.weight[c];
      const double scale = choice.scale[c];
      const double min = choice.min[c];
      pp += weight * scale * scale * choice.cc[c];
      pm += weight * scale * min * choice.c[c];
      mm += weight * min * min * w_[c];
      xp += weight * scale * choice.xc[c];
      xm += weight * min * wx_[c];
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

  /// What the decoded values of a super-block have to be multiplied by to be unbiased:
  /// sum w x^2 / sum w x y.
  float unbiased_factor(const AffineChoice<N>& choice, int super_block) const noexcept {
    const float unit = safe_reciprocal(super_blocks_.magnitude[super_block]);
    const double d = f16_to_f32(choice.d[super_block]) * unit;
    const double dmin = f16_to_f32(choice.dmin[super_block]) * unit;
    double xx = 0;
    double xy = 0;
    for (int c = super_block * kSubBlocks; c < (super_block + 1) * kSubBlocks; ++c) {
      const double weight = super_blocks_.weight[c];
      xx += weight * double{super_blocks_.tile.wxx[c]} * super_blocks_.relative_magnitude[c] *
            super_blocks_.relative_magnitude[c];
      xy += weight * (d * choice.scale[c] * choice.xc[c] - dmin * choice.min[c] * wx_[c]);
    }
    // Where more than a fifth of the energy is lost, the question is not one of bias.
    constexpr double kMost = 1.25;
    return xx < kMost * xy ? static_cast<float>(std::max(xx / xy, 1.0)) : 1.0f;
  }

  FloatPart nearest_number(const FloatPart& value) const noexcept {
    return round(clamp(value, 0.0f, settings_.largest));
  }

  const SuperBlocks& super_blocks_;
  const Settings& settings_;
  // Of each sub-block, in units of the super-block's magnitude.
  Floats w_;   ///< sum w
  Floats wx_;  ///< sum w x
  Floats wanted_scale_;
  Floats wanted_offset_;  ///< not positive
};

/// One super-block of a tile as it was chosen, its d and dmin multiplied by `factor`.
template <int N>
static inline AffineSuperBlock<N> code_super_block(const SuperBlockTile<N>& super_blocks,
                                                   const AffineChoice<N>& choice, int super_block,
                                                   float factor,
                                                   const AffineSettings& settings) noexcept {
  constexpr int kSubBlocks = kSuperBlock / N;
  const float* values = super_blocks.values[super_block];
  const float d = f16_to_f32(choice.d[super_block]);
  const float dmin = f16_to_f32(choice.dmin[super_block]);
  AffineSuperBlock<N> result;
  result.d = to_half(d * factor);
  result.dmin = to_half(dmin * factor);
  const float stored_d = f16_to_f32(result.d);
  const float stored_dmin = f16_to_f32(result.dmin);
  float decoded[kSuperBlock];
  for (int s = 0; s < kSubBlocks; ++s) {
    const float scale_number = choice.scale[super_block * kSubBlocks + s];
    const float min_number = choice.min[super_block * kSubBlocks + s];
    result.scales[s] = static_cast<std::uint8_t>(scale_number);
    result.mins[s] = static_cast<std::uint8_t>(min_number);
    const float scale = d * scale_number;
    const float offset = dmin * min_number;
    const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    const float stored = stored_d * scale_number;
    const float stored_offset = stored_dmin * min_number;
    for (int i = s * N; i < (s + 1) * N; i += kColumns) {
      const Floats code = round(clamp((Floats::load(values + i) + offset) * inverse, 0.0f,
                                      static_cast<float>(settings.high)));
      store_bytes(result.codes + i, code);
      (stored * code - stored_offset).store(decoded + i);
    }
  }
  if (worse_than_zeros(values, decoded, super_blocks.importance[super_block], kSuperBlock)) {
    return {};
  }
  return result;
}

}  // namespace sluice::inline SLUICE_ISA
