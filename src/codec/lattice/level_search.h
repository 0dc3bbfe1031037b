#pragma once

// The encoder of the types whose super-block has 16 sub-blocks of 16 weights, each with an integer
// scale, a choice between two level tables, and a code a weight: IQ2_K, IQ3_K, IQ4_K.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/lattice/nearest_level.h"
#include "codec/lattice/weighting.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// What differs between the types.
struct LevelSearch {
  int first_scale;  ///< scales are first_scale, first_scale + scale_step, ... last_scale
  int last_scale;
  int scale_step;
  /// The scale at which the largest weight meets the outermost level, times these, is tried:
  /// `trials` steps from `lowest` to `highest`. Twice as many gain about 0.1 % of the error.
  int trials;
  float lowest;
  float highest;
};

namespace level_search {

inline constexpr std::size_t kSubBlock = 16;
inline constexpr std::size_t kSuperBlock = kLanes * kSubBlock;
using Blocks = LaneBlocks<kSubBlock>;

/// For the two tables and the two signs of a scale: the best real-valued scale of each lane. The
/// error near it is about yy * (s - scale)^2 - gain.
struct Candidate {
  Lanes scale{};
  Lanes gain{};
  Lanes yy{};
};

/// [2 * table + (scale is negative)]
using Candidates = std::array<Candidate, 4>;

template <const auto& kTable, std::size_t kShifted>
Candidate best_scales(const Blocks& blocks, const Lanes& largest, float sign,
                      const LevelSearch& search) noexcept {
  Candidate best;
  const float outermost = -kTable[0][0];
  for (int trial = 0; trial < search.trials; ++trial) {
    const float step = (search.highest - search.lowest) / static_cast<float>(search.trials - 1);
    const float reach = sign * outermost * (search.lowest + step * static_cast<float>(trial));
    Lanes inverse;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      inverse[lane] = largest[lane] > 0x1p-100f ? reach / largest[lane] : 0.0f;
    }
    const LevelFit fit = fit_levels<kTable, kShifted>(blocks, inverse);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float scale = fit.xy[lane] / fit.yy[lane];
      const float gain = scale * fit.xy[lane];
      const bool better = gain > best.gain[lane];
      best.gain[lane] = better ? gain : best.gain[lane];
      best.scale[lane] = better ? scale : best.scale[lane];
      best.yy[lane] = better ? fit.yy[lane] : best.yy[lane];
    }
  }
  return best;
}

/// The scale nearest to ratio that the type has.
inline int nearest_scale(float ratio, const LevelSearch& search) noexcept {
  const float step = static_cast<float>(search.scale_step);
  const float count = static_cast<float>(search.last_scale - search.first_scale) / step;
  const float position = (ratio - static_cast<float>(search.first_scale)) / step;
  const float clamped = position < 0 ? 0.0f : position > count ? count : position;
  return search.first_scale + search.scale_step * static_cast<int>(clamped + 0.5f);
}

/// The super-block scale whose multiples come nearest to what the sub-blocks want, by the
/// candidates' parabolas: no codes are searched, so that many can be tried.
inline float best_super_scale(const Candidates& candidates, const LevelSearch& search) noexcept {
  float strongest = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const Candidate* best = &candidates[0];
    for (const Candidate& c : candidates) best = c.gain[lane] > best->gain[lane] ? &c : best;
    const float scale = best->scale[lane];
    strongest = std::fabs(scale) > std::fabs(strongest) ? scale : strongest;
  }
  if (strongest == 0) return 0;
  // The strongest sub-block gets the extreme scale, or one a little inside or beyond it. A range
  // that is not symmetric is tried both ways round.
  constexpr int kSteps = 24;
  constexpr float kLowest = 0.8f;
  constexpr float kStep = 0.5f / (kSteps - 1);
  const bool symmetric = search.first_scale == -search.last_scale;
  float best = 0;
  float best_error = 0;
  for (int i = 0; i < (symmetric ? kSteps : 2 * kSteps); ++i) {
    const int extreme = i < kSteps ? search.first_scale : search.last_scale;
    const float factor = kLowest + kStep * static_cast<float>(i % kSteps);
    const float d = strongest / static_cast<float>(extreme) * factor;
    const float inverse = 1 / d;
    Lanes error{};
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const float wanted = candidates[c].scale[lane];
        const float off = wanted - d * static_cast<float>(nearest_scale(wanted * inverse, search));
        const float e = candidates[c].yy[lane] * off * off - candidates[c].gain[lane];
        error[lane] = c == 0 || e < error[lane] ? e : error[lane];
      }
    }
    float total = 0;
    for (const float e : error) total += e;
    if (i == 0 || total < best_error) {
      best_error = total;
      best = d;
    }
  }
  return best;
}

/// What a super-block scale leads to.
struct Choice {
  std::array<int, kLanes> scale{};
  std::array<std::uint8_t, kLanes> shifted{};
  float error = 0;  ///< weighted, less that of coding zeros
  float refit = 0;  ///< the least-squares super-block scale for these codes
};

template <const auto& kTable>
Choice choose(const Blocks& blocks, const Candidates& candidates, float d,
              const LevelSearch& search) noexcept {
  Choice choice;
  Lanes error{};
  Lanes xy{};
  Lanes yy{};
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    std::array<int, kLanes> scale;
    Lanes inverse;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      scale[lane] = nearest_scale(candidates[c].scale[lane] / d, search);
      inverse[lane] = scale[lane] == 0 ? 0.0f : 1 / (d * static_cast<float>(scale[lane]));
    }
    const LevelFit fit =
        c < 2 ? fit_levels<kTable, 0>(blocks, inverse) : fit_levels<kTable, 1>(blocks, inverse);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float s = static_cast<float>(scale[lane]);
      const float lane_xy = s * fit.xy[lane];
      const float lane_yy = s * s * fit.yy[lane];
      const float e = d * (d * lane_yy - 2 * lane_xy);
      if (c != 0 && !(e < error[lane])) continue;
      error[lane] = e;
      xy[lane] = lane_xy;
      yy[lane] = lane_yy;
      choice.scale[lane] = scale[lane];
      choice.shifted[lane] = c < 2 ? 0 : 1;
    }
  }
  float sum_xy = 0;
  float sum_yy = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    choice.error += error[lane];
    sum_xy += xy[lane];
    sum_yy += yy[lane];
  }
  choice.refit = sum_yy > 0 ? sum_xy / sum_yy : 0.0f;
  return choice;
}

/// One super-block. `Block` has d, extra, set_scale and set_code.
template <typename Block, const auto& kTable>
Block encode_super_block(const float* values, const float* importance,
                         const LevelSearch& search) noexcept {
  // The block that decodes to zeros. Codes of the smallest positive level make them +0.
  constexpr unsigned kZeroCode = nearest_code(kTable[0], 0.0f);
  Block zeros{};
  for (unsigned b = 0; b < kLanes; ++b) {
    zeros.set_scale(b, 1);
    for (unsigned j = 0; j < kSubBlock; ++j) zeros.set_code(b, j, kZeroCode);
  }

  WeightedBlock<kSuperBlock> weighted;
  weighted.load<kSubBlock>(values, importance);
  if (weighted.zero) return zeros;
  Blocks blocks;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    for (std::size_t j = 0; j < kSubBlock; ++j) {
      blocks.x[j][lane] = weighted.x[kSubBlock * lane + j];
      blocks.w[j][lane] = weighted.w[kSubBlock * lane + j];
    }
  }

  const Lanes largest = largest_magnitudes(blocks);
  const Candidates candidates = {best_scales<kTable, 0>(blocks, largest, 1.0f, search),
                                 best_scales<kTable, 0>(blocks, largest, -1.0f, search),
                                 best_scales<kTable, 1>(blocks, largest, 1.0f, search),
                                 best_scales<kTable, 1>(blocks, largest, -1.0f, search)};

  // Scales and codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  Choice best;
  std::uint16_t best_d = 0;
  float wanted = best_super_scale(candidates, search);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint16_t d = weighted.round_scale(wanted);
    if (round > 0 && d == best_d) break;
    const Choice choice = choose<kTable>(blocks, candidates, weighted.stored_scale(d), search);
    wanted = choice.refit;
    if (choice.error < best.error) {
      best = choice;
      best_d = d;
    }
  }
  if (best_d == 0) return zeros;

  Block block{};
  block.d = best_d;
  const float d = weighted.stored_scale(best_d);
  double error = 0;
  double error_of_zeros = 0;
  for (unsigned b = 0; b < kLanes; ++b) {
    const auto& levels = kTable[best.shifted[b]];
    const float scale = d * static_cast<float>(best.scale[b]);
    const float inverse = best.scale[b] == 0 ? 0.0f : 1 / scale;
    block.set_scale(b, best.scale[b]);
    block.extra = static_cast<std::uint16_t>(block.extra | best.shifted[b] << b);
    for (unsigned j = 0; j < kSubBlock; ++j) {
      const std::size_t i = kSubBlock * b + j;
      const unsigned code = nearest_code(levels, weighted.x[i] * inverse);
      block.set_code(b, j, code);
      const double x = weighted.x[i];
      const double off = x - double{scale} * levels[code];
      error += weighted.q[i] * off * off;
      error_of_zeros += weighted.q[i] * x * x;
    }
  }
  return error < error_of_zeros ? block : zeros;
}

}  // namespace level_search

/// Encodes rows of a type of this family. Per sub-block, table and sign the best real-valued scale
/// is found by trial; then the super-block scale of which they are nearly multiples; then, at that
/// scale in fp16, each sub-block takes the table and scale of least error, and the super-block
/// scale is refitted by least squares.
template <typename Block, const auto& kTable>
void encode_levels(const EncodeRows& rows, std::byte* out, const LevelSearch& search) noexcept {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < rows.row_elements; start += level_search::kSuperBlock) {
      const float* importance = rows.importance == nullptr ? nullptr : rows.importance + start;
      const Block block =
          level_search::encode_super_block<Block, kTable>(values + start, importance, search);
      std::memcpy(out, &block, sizeof(Block));
      out += sizeof(Block);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
