#pragma once

// The searches behind Q3_K and Q6_K. A weight is d * number * code, where number is a small signed
// integer of its sub-block, code one of a few signed integers, and d belongs to the super-block.
// Zero is among the codes, so that no weight's error is more than that of coding zero.

#include <bit>
#include <cmath>

#include "codec/k_quants/super_block.h"
#include "codec/super_scale.h"
#include "codec/symmetric.h"

namespace sluice::inline SLUICE_ISA {

/// What a type allows, and how far to search.
struct SymmetricSettings {
  int low;                 ///< codes are of [low, -1 - low]
  float lowest;            ///< numbers are of [lowest, -1 - lowest]
  SymmetricEffort effort;  ///< of each sub-block's own search
  int rounds = 0;          ///< of CoarseSearch: how often d is fitted again
  int reach = 0;           ///< of CoarseSearch: how far from the nearest number to try
  float mean_share = 1;    ///< see Tile

  constexpr int high() const noexcept { return -1 - low; }
  constexpr int tile_bits() const noexcept { return std::bit_width(static_cast<unsigned>(high())); }
  template <std::size_t N>
  simd::Lanes<float, N> nearest_number(const simd::Lanes<float, N>& value) const noexcept {
    return round(clamp(value, lowest, -1.0f - lowest));
  }
};

/// What is stored of a super-block.
struct SymmetricSuperBlock {
  std::uint16_t d;
  std::int8_t scales[16];
  std::uint8_t codes[kSuperBlock];  ///< counted from the lowest
};

/// d as stored, and each sub-block's number.
struct SymmetricChoice {
  std::uint16_t d;
  Floats number;
  float unbiased_factor[1];  ///< what to multiply d by, codes staying, to be unbiased: 1 or more
};

/// That of the largest magnitude.
static inline float farthest_from_zero(const Floats& numbers) noexcept {
  float farthest = 0;
  for (int c = 0; c < kColumns; ++c) {
    farthest = std::fabs(numbers[c]) > std::fabs(farthest) ? numbers[c] : farthest;
  }
  return farthest;
}

/// Where codes are fine: each sub-block gets the scale that it would like to have, rounded, and the
/// largest of them, which becomes the lowest number, decides d.
class FineSearch {
 public:
  using Settings = SymmetricSettings;
  using SuperBlocks = SuperBlockTile<16>;

  FineSearch(const SuperBlocks& super_block, const Settings& settings) noexcept
      : super_block_(super_block), settings_(settings) {}

  SymmetricChoice search() const noexcept {
    Floats wanted;
    for (std::size_t p = 0; p < kTileParts; ++p) {
      const TilePart<16> part{super_block_.tile, p};
      set_part(wanted, p,
               search_symmetric(part, settings_.low, settings_.high(), settings_.effort).scale);
    }
    wanted *= super_block_.tile.magnitude;
    SymmetricChoice choice;
    choice.d = to_half(farthest_from_zero(wanted) / settings_.lowest);
    const float d = f16_to_f32(choice.d);
    choice.number = settings_.nearest_number(wanted * (d != 0 ? 1.0f / d : 0.0f));
    choice.unbiased_factor[0] = 1;
    return choice;
  }

 private:
  const SuperBlocks& super_block_;
  const Settings& settings_;
};

/// Where codes are so coarse that rounding a sub-block's scale to a multiple of d moves them.
///
/// 1. Each sub-block gets the scale that it would like to have.
/// 2. d is the one, of several, of which these are most nearly multiples, by the error that it
///    costs each sub-block to be off its best scale while its codes stay (codec/super_scale.h).
/// 3. Sub-blocks are coded again with the multiples near the scale they would like, and keep the
///    best.
/// 4. d is fitted by least squares to these choices, and 3 is repeated.
class CoarseSearch {
 public:
  using Settings = SymmetricSettings;
  using SuperBlocks = SuperBlockTile<16>;

  CoarseSearch(const SuperBlocks& super_block, const Settings& settings) noexcept
      : super_block_(super_block), settings_(settings) {
    for (std::size_t p = 0; p < kTileParts; ++p) {
      const SymmetricFit fit = search_symmetric(TilePart<16>{super_block.tile, p}, settings.low,
                                                settings.high(), settings.effort);
      set_part(wanted_.scale, p, fit.scale);
      set_part(wanted_.gain, p, fit.score);
      set_part(wanted_.yy, p, fit.cc);
    }
    const Floats& unit = super_block.relative_magnitude;
    wanted_.scale *= unit;
    wanted_.gain = wanted_.gain * super_block.weight * unit * unit;
    wanted_.yy *= super_block.weight;
  }

  SymmetricChoice search() const noexcept {
    SymmetricChoice best{};
    float best_gain = 0;
    float best_xy = 0;
    float wanted = nearest_common_divisor();
    for (int round = 0; round <= settings_.rounds; ++round) {
      const std::uint16_t d = to_half(wanted * super_block_.magnitude[0]);
      if (round > 0 && d == best.d) break;
      const Trial trial = choose(d);
      if (trial.gain > best_gain) {
        best_gain = trial.gain;
        best.d = d;
        best.number = trial.number;
        best_xy = trial.xy;
      }
      wanted = trial.refit;
    }
    best.unbiased_factor[0] = unbiased_factor(best_xy * in_units(best.d));
    return best;
  }

 private:
  float in_units(std::uint16_t d) const noexcept {
    return f16_to_f32(d) * safe_reciprocal(super_block_.magnitude[0]);
  }

  /// sum w x^2 / sum w x y for decoded values y.
  float unbiased_factor(float xy) const noexcept {
    const Floats& unit = super_block_.relative_magnitude;
    const float xx = reduce_sum(super_block_.tile.wxx * super_block_.weight * unit * unit);
    // Where more than a fifth of the energy is lost, the question is not one of bias.
    constexpr float kMost = 1.25f;
    return xx > xy && xx < kMost * xy ? xx / xy : 1.0f;
  }

  /// The largest scale becomes the lowest number, or one a little inside or beyond it. 0 if none is
  /// better than zeros.
  float nearest_common_divisor() const noexcept {
    constexpr ScaleTrials kTrials = {.count = 16, .lowest = 0.8f, .step = 0.5f / 15};
    SuperScale divisor(0);
    divisor.try_scales<kTrials, 16>(
        &wanted_, 1, farthest_from_zero(wanted_.scale) / settings_.lowest,
        [&](const Floats& d) noexcept {
          return [this, &d, per_d = reciprocal_or_zero(d)](float scale, float yy) noexcept {
            const Floats off = scale - settings_.nearest_number(scale * per_d) * d;
            return off * off * yy;
          };
        });
    return divisor.scale();
  }

  /// What a d leads to.
  struct Trial {
    Floats number;
    float gain;   ///< the part of sum w x^2 that is coded
    float xy;     ///< sum w x y, y = number * code
    float refit;  ///< the least-squares d for these numbers and codes
  };

  Trial choose(std::uint16_t stored) const noexcept {
    const float d = in_units(stored);
    const float per_d = d != 0 ? 1.0f / d : 0.0f;
    Trial trial;
    Floats gains;
    Floats xy;  // y = number * code
    Floats yy;
    for (std::size_t p = 0; p < kTileParts; ++p) {
      const TilePart<16> part{super_block_.tile, p};
      const FloatPart unit = part_of(super_block_.relative_magnitude, p);
      const FloatPart nearest = settings_.nearest_number(part_of(wanted_.scale, p) * per_d);
      // Zeros are always possible, so no sub-block is worse than zeros.
      FloatPart best_number{};
      FloatPart best_gain{};
      FloatPart best_xy{};
      FloatPart best_yy{};
      for (int step = -settings_.reach; step <= settings_.reach; ++step) {
        const FloatPart number =
            clamp(nearest + static_cast<float>(step), settings_.lowest, -1.0f - settings_.lowest);
        const FloatPart scale = number * d;
        const FloatPart inverse = select(scale != 0.0f, unit / scale, 0.0f);
        const SymmetricMoments codes =
            code_symmetric(part, inverse, settings_.low, settings_.high());
        const FloatPart c_xy = number * codes.xc * unit;
        const FloatPart c_yy = number * number * codes.cc;
        const FloatPart gain = (2.0f * c_xy - c_yy * d) * d;
        const auto better = gain > best_gain;
        best_number = select(better, number, best_number);
        best_gain = select(better, gain, best_gain);
        best_xy = select(better, c_xy, best_xy);
        best_yy = select(better, c_yy, best_yy);
      }
      set_part(trial.number, p, best_number);
      set_part(gains, p, best_gain);
      set_part(xy, p, best_xy);
      set_part(yy, p, best_yy);
    }
    trial.gain = reduce_sum(gains * super_block_.weight);
    trial.xy = reduce_sum(xy * super_block_.weight);
    const float sum_yy = reduce_sum(yy * super_block_.weight);
    trial.refit = sum_yy > 0 ? trial.xy / sum_yy : 0.0f;
    return trial;
  }

  const SuperBlocks& super_block_;
  const Settings& settings_;
  Parabola wanted_;  ///< of each sub-block's own search, in units of the super-block's magnitude
};

/// A super-block as it was chosen, its d multiplied by `factor`, unless that makes it worse than
/// zeros.
static inline SymmetricSuperBlock code_super_block(const SuperBlockTile<16>& super_block,
                                                   const SymmetricChoice& choice, int, float factor,
                                                   const SymmetricSettings& settings) noexcept {
  const float* values = super_block.values[0];
  const float d = f16_to_f32(choice.d);
  const Floats inverse = reciprocal_or_zero(choice.number * d);
  const float low = static_cast<float>(settings.low);
  SymmetricSuperBlock result;
  result.d = to_half(d * factor);
  const float stored_d = f16_to_f32(result.d);
  const bool corrected = result.d != choice.d;
  float decoded[kSuperBlock];
  for (int s = 0; s < 16; ++s) {
    result.scales[s] = static_cast<std::int8_t>(choice.number[s]);
    const Floats code = round(clamp(Floats::load(values + 16 * s) * inverse[s], low, -1.0f - low));
    store_bytes(result.codes + 16 * s, code - low);
    if (corrected) (stored_d * choice.number[s] * code).store(decoded + 16 * s);
  }
  if (corrected && worse_than_zeros(values, decoded, super_block.importance[0], kSuperBlock)) {
    result.d = choice.d;
  }
  return result;
}

}  // namespace sluice::inline SLUICE_ISA
