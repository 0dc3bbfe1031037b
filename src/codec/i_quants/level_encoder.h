#pragma once

// The encoder of the types whose super-block has sub-blocks with an integer scale, a choice between
// two level tables or just one, and a code a weight: IQ2_K to IQ6_K with 16 sub-blocks of 16
// weights, a lane each; IQ4_XS with 8 sub-blocks of 32, two lanes each.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/level_fit.h"
#include "codec/rows.h"
#include "codec/super_scale.h"
#include "codec/weighting.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// The integer scales that a type has for its sub-blocks: first, first + step, ... last.
struct ScaleRange {
  float first;
  float last;
  float step;  ///< 1 or 2
};

/// What an effort pays for.
struct LevelSearch {
  /// The scale at which the largest weight meets the outermost level, times these, is tried:
  /// `trials` steps from `lowest` to `highest`.
  int trials;
  float lowest;
  float highest;
  /// So many of a sub-block's best, of the two tables and the two signs, are kept.
  std::size_t candidates;
};

namespace level_encoder {

using simd::Floats;

inline constexpr std::size_t kLaneSize = 16;
inline constexpr std::size_t kSuperBlock = Floats::kLanes * kLaneSize;
using Blocks = WeightedBlocks<kLaneSize>;
/// How levels are found for rows of weights: Type::Codebook, with the functions of LevelRows, where a
/// weight's code is not just that of the nearest level.
template <typename Type>
struct RowsOf {
  using type = LevelRows<Type, kLaneSize>;
};
template <typename Type>
requires requires {
  typename Type::Codebook;
}
struct RowsOf<Type> {
  using type = typename Type::Codebook;
};
template <typename Type>
using Rows = typename RowsOf<Type>::type;

/// Lanes hold 16 weights; a sub-block of 32 is the pair of lanes b and b + 8.
template <typename Type>
inline constexpr bool kPairs = Type::kSubBlocks < Floats::kLanes;

template <typename Type>
void to_sub_block_lanes(const float* values, std::array<Floats, kLaneSize>& out) noexcept {
  constexpr std::size_t kStride = kSuperBlock / Type::kSubBlocks;
  float* const columns = reinterpret_cast<float*>(out.data());
  for (std::size_t lane = 0; lane < Floats::kLanes; lane += 4) {
    const float* rows =
        values + lane % Type::kSubBlocks * kStride + lane / Type::kSubBlocks * kLaneSize;
    for (std::size_t j = 0; j < kLaneSize; j += 4) {
      simd::transpose_4x4(rows + j, kStride, columns + j * Floats::kLanes + lane, Floats::kLanes);
    }
  }
}

/// The best real-valued scale of each lane with one of the two tables and one sign of the scale.
struct Candidate : Parabola {
  Floats shift = 0;  ///< of the table's levels
};

/// The best comes first.
using Candidates = std::array<Candidate, 4>;

/// Puts the new candidate in its place; the least is lost.
inline void insert(const Candidate& candidate, Candidates& candidates) noexcept {
  Candidate lost = candidate;
  for (Candidate& c : candidates) {
    const simd::FloatMask better = lost.gain > c.gain;
    const auto exchange = [&better](Floats& kept, Floats& other) noexcept {
      const Floats previous = kept;
      kept = select(better, other, previous);
      other = select(better, previous, other);
    };
    exchange(c.scale, lost.scale);
    exchange(c.gain, lost.gain);
    exchange(c.yy, lost.yy);
    exchange(c.shift, lost.shift);
  }
}

/// The fit of sub-blocks at inverse scales.
template <typename Type, bool kShifted, bool kBounded>
LevelFit fit_sub_blocks(const Rows<Type>& rows, const Floats& inverse,
                        const Floats& shift = 0) noexcept {
  const LevelFit fit = rows.template fit<kShifted, kBounded>(inverse, shift);
  if constexpr (!kPairs<Type>) return fit;
  return {fit.xy + swap_halves(fit.xy), fit.yy + swap_halves(fit.yy)};
}

/// Tries scales of one sign. `unit`: the inverse scale at which the largest weight meets the
/// outermost level.
template <typename Type, bool kShifted>
Candidate best_scales(const Rows<Type>& rows, const Floats& unit,
                      const LevelSearch& search) noexcept {
  Candidate best;
  if constexpr (kShifted) best.shift = Type::kShift;
  const float step = (search.highest - search.lowest) / static_cast<float>(search.trials - 1);
  for (int trial = 0; trial < search.trials; ++trial) {
    const LevelFit fit = fit_sub_blocks<Type, kShifted, true>(
        rows, unit * (search.lowest + step * static_cast<float>(trial)), best.shift);
    const Floats scale = fit.xy / fit.yy;
    const Floats gain = scale * fit.xy;
    const simd::FloatMask better = gain > best.gain;
    best.gain = select(better, gain, best.gain);
    best.scale = select(better, scale, best.scale);
    best.yy = select(better, fit.yy, best.yy);
  }
  return best;
}

template <typename Type>
Candidates find_candidates(const Rows<Type>& rows, const LevelSearch& search) noexcept {
  Floats highest = 0;
  Floats lowest = 0;
  for (const Floats& row : rows.x()) {
    highest = max(highest, row);
    lowest = min(lowest, row);
  }
  if constexpr (kPairs<Type>) {
    highest = max(highest, swap_halves(highest));
    lowest = min(lowest, swap_halves(lowest));
  }
  const Floats extreme = select(highest > -lowest, highest, lowest);
  const Floats unit = select(abs(extreme) > 0x1p-100f, Floats(Type::kLevels[0]) / extreme, 0);
  Candidates candidates;
  for (const float sign : {1.0f, -1.0f}) {
    insert(best_scales<Type, false>(rows, unit * sign, search), candidates);
    if constexpr (Type::kShift != 0) {
      insert(best_scales<Type, true>(rows, unit * sign, search), candidates);
    }
  }
  return candidates;
}

/// The scales nearest to `ratio` that the type has.
template <typename Type>
SLUICE_INLINE Floats nearest_scales(const Floats& ratio) noexcept {
  constexpr ScaleRange kScales = Type::kScales;
  constexpr float kPerStep = 1 / kScales.step;
  constexpr float kLast = (kScales.last - kScales.first) * kPerStep;
  const Floats position = (ratio - kScales.first) * kPerStep;
  return round(min(max(position, 0), kLast)) * kScales.step + kScales.first;
}

/// The super-block scale whose multiples come nearest to what the sub-blocks want.
template <typename Type>
float best_super_scale(const Candidates& candidates, const LevelSearch& search) noexcept {
  const Floats& favourite = candidates[0].scale;
  const float highest = reduce_max(favourite);
  const float lowest = -reduce_max(-favourite);
  const float strongest = highest > -lowest ? highest : lowest;
  if (strongest == 0) return 0;
  constexpr ScaleRange kScales = Type::kScales;
  constexpr ScaleTrials kTrials = {.count = 32, .lowest = 0.8f, .step = 0.5f / 31};
  const auto cost = [](const Floats& d) noexcept {
    return [ d, inverse = Floats(1) / d ](const Floats& scale, const Floats& yy)
        __attribute__((always_inline)) {
      const Floats off = scale - nearest_scales<Type>(scale * inverse) * d;
      return off * off * yy;
    };
  };
  // The strongest sub-block gets the extreme scale, or one a little inside or beyond it. A range
  // that is not symmetric is tried both ways round.
  SuperScale best;
  best.try_scales<kTrials, Type::kSubBlocks>(candidates.data(), search.candidates,
                                             strongest / kScales.first, cost);
  if constexpr (kScales.first != -kScales.last) {
    best.try_scales<kTrials, Type::kSubBlocks>(candidates.data(), search.candidates,
                                               strongest / kScales.last, cost);
  }
  return best.scale();
}

/// What a super-block scale leads to.
struct Choice {
  Floats scale;
  Floats shift;     ///< of the table's levels
  float error = 0;  ///< weighted, less that of coding zeros
  float refit = 0;  ///< the least-squares super-block scale for these codes
  float xy = 0;     ///< sum of w * x * y, y being the decoded value for a super-block scale of 1
  float yy = 0;     ///< sum of w * y^2
};

/// What to multiply values by to get levels; 0 for a scale of 0.
SLUICE_INLINE Floats inverse_scales(const Floats& scale, float d) noexcept {
  return select(abs(scale) > 0, Floats(1) / (scale * d), 0);
}

/// Whether a candidate's scale is tried rounded up and down, as pays where there are few of them.
template <typename Type>
inline constexpr bool kBothRoundings = requires {
  Type::kBothRoundings;
};

template <typename Type>
Choice choose(const Rows<Type>& rows, const Candidates& candidates, float d,
              const LevelSearch& search) noexcept {
  Choice choice;
  Floats error = 0;
  Floats xy = 0;
  Floats yy = 0;
  const auto consider = [&](const Floats& scale, const Floats& shift, bool first) noexcept {
    const LevelFit fit =
        fit_sub_blocks<Type, Type::kShift != 0, false>(rows, inverse_scales(scale, d), shift);
    const Floats c_xy = scale * fit.xy;
    const Floats c_yy = scale * scale * fit.yy;
    const Floats e = (c_yy * d - c_xy * 2) * d;
    if (first) {
      error = e;
      xy = c_xy;
      yy = c_yy;
      choice.scale = scale;
      choice.shift = shift;
      return;
    }
    const simd::FloatMask better = e < error;
    error = select(better, e, error);
    xy = select(better, c_xy, xy);
    yy = select(better, c_yy, yy);
    choice.scale = select(better, scale, choice.scale);
    choice.shift = select(better, shift, choice.shift);
  };
  for (std::size_t c = 0; c < search.candidates; ++c) {
    const Floats wanted = candidates[c].scale * (1 / d);
    const Floats scale = nearest_scales<Type>(wanted);
    consider(scale, candidates[c].shift, c == 0);
    if constexpr (kBothRoundings<Type>) {
      constexpr ScaleRange kScales = Type::kScales;
      const Floats other = scale + select(wanted > scale, Floats(kScales.step), -kScales.step);
      consider(min(max(other, kScales.first), kScales.last), candidates[c].shift, false);
    }
  }
  choice.error = reduce_sum(error);
  const float sum_yy = reduce_sum(yy);
  const float sum_xy = reduce_sum(xy);
  choice.refit = sum_yy > 0 ? sum_xy / sum_yy : 0.0f;
  constexpr float kShare = static_cast<float>(Type::kSubBlocks) / Floats::kLanes;
  choice.xy = sum_xy * kShare;
  choice.yy = sum_yy * kShare;
  return choice;
}

/// The codes at super-block scale d, and what they gain.
template <typename Type, typename Gain>
void find_codes(const Blocks& blocks, const Rows<Type>& rows, const Choice& choice, float d,
                std::uint8_t (&codes)[kSuperBlock], Gain& gain) noexcept {
  rows.find_codes(inverse_scales(choice.scale, d), choice.shift, choice.scale, blocks.q, codes,
                  gain);
  simd::transpose_bytes(codes);
}

/// The block that decodes to zeros. Codes of the smallest positive level make them +0.
template <typename Type>
Type zeros() noexcept {
  Type block{};
  std::uint8_t codes[kSuperBlock];
  for (std::uint8_t& code : codes) code = nearest_code(Type::kLevels, 0.0f);
  for (unsigned b = 0; b < Type::kSubBlocks; ++b) block.set_scale(b, 1);
  block.set_codes(codes);
  return block;
}

template <typename Type>
Type encode_super_block(const float* values, const float* importance, const LevelSearch& search,
                        float bias_correction) noexcept {
  Blocks blocks;
  to_sub_block_lanes<Type>(values, blocks.x);
  if (importance != nullptr) to_sub_block_lanes<Type>(importance, blocks.q);
  blocks.prepare<kPairs<Type> ? Share::pairs : Share::block>(importance != nullptr);
  if (blocks.block_largest[0] == 0) return zeros<Type>();

  // Scales and codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  const int exponent = blocks.exponent[0];
  const Rows<Type> rows(blocks.x, blocks.w);
  const Candidates candidates = find_candidates<Type>(rows, search);
  Choice best;
  std::uint16_t best_d = 0;
  float wanted = best_super_scale<Type>(candidates, search);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint16_t d = round_scale(wanted, exponent);
    if (round > 0 && d == best_d) break;
    const Choice choice = choose<Type>(rows, candidates, value_of_half(d, exponent), search);
    wanted = choice.refit;
    if (choice.error < best.error) {
      best = choice;
      best_d = d;
    }
  }
  if (best_d == 0) return zeros<Type>();

  const float corrected = corrected_scale(best.refit, blocks.norm(), best.xy, bias_correction);
  std::uint8_t codes[kSuperBlock];
  Type block{};
  block.d = first_better_than_zeros(
      {round_scale(corrected, exponent), best_d}, exponent, [&](auto& gain) noexcept {
        find_codes<Type>(blocks, rows, best, value_of_half(best_d, exponent), codes, gain);
      });
  if (block.d == 0) return zeros<Type>();
  block.set_codes(codes);
  for (unsigned b = 0; b < Type::kSubBlocks; ++b) {
    block.set_scale(b, static_cast<int>(best.scale[b]));
    if constexpr (Type::kShift != 0) {
      block.extra = static_cast<std::uint16_t>(block.extra | (best.shift[b] > 0 ? 1u : 0u) << b);
    }
  }
  return block;
}

}  // namespace level_encoder

/// Encodes rows of a type of this family. Type is its block, which has
///   d, set_scale, set_codes, and `extra` where levels may be shifted
///   kSubBlocks       16, or 8 of 32 weights
///   kLevels, kShift  what they may be moved up by, or 0
///   kScales
///   kFast, kBest     a LevelSearch each
/// Per sub-block, table and sign the best real-valued scale is found by trial; then the super-block
/// scale of which they are nearly multiples; then, at that scale in fp16, each sub-block takes the
/// table and scale of least error, and the super-block scale is refitted by least squares; at last
/// it is corrected for their shrinkage.
template <typename Type>
void encode_levels(const EncodeRows& rows, std::byte* out) noexcept {
  const LevelSearch search = rows.effort == Effort::fast ? Type::kFast : Type::kBest;
  encode_blocks<Type>(rows, out, [&](const float* values, const float* importance) noexcept {
    return level_encoder::encode_super_block<Type>(values, importance, search,
                                                   rows.bias_correction);
  });
}

}  // namespace sluice::inline SLUICE_ISA
