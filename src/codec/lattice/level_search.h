#pragma once

// The encoder of the types whose super-block has sub-blocks with an integer scale, a choice between
// two level tables or just one, and a code a weight: IQ2_K, IQ3_K and IQ4_K with 16 sub-blocks of
// 16 weights, a lane each; IQ4_XS with 8 sub-blocks of 32, two lanes each.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/lattice/nearest_level.h"
#include "codec/lattice/scale_trials.h"
#include "codec/lattice/transpose_bytes.h"
#include "codec/lattice/weighting.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// The integer scales that a type has for its sub-blocks: first, first + step, ... last.
struct ScaleRange {
  float first;
  float last;
  float step;  ///< 1 or 2
};

/// What differs between the types, and between the efforts of a type.
struct LevelSearch {
  ScaleRange scales;
  /// The scale at which the largest weight meets the outermost level, times these, is tried:
  /// `trials` steps from `lowest` to `highest`.
  int trials;
  float lowest;
  float highest;
  /// So many of a sub-block's best, of the two tables and the two signs, are kept.
  std::size_t candidates;
};

namespace level_search {

inline constexpr std::size_t kLaneSize = 16;
inline constexpr std::size_t kSuperBlock = kLanes * kLaneSize;
using Blocks = WeightedLanes<kLaneSize>;

/// Lanes hold 16 weights; a sub-block of 32 is the pair of lanes b and b + 8.
template <std::size_t kSubBlocks>
inline constexpr Share kShareOf = kSubBlocks == kLanes ? Share::block : Share::pairs;

template <std::size_t kSubBlocks>
void to_sub_block_lanes(const float* values, std::array<Lanes, kLaneSize>& out) noexcept {
  if constexpr (kSubBlocks == kLanes) {
    to_lanes(values, out);
  } else {
    float* const columns = reinterpret_cast<float*>(out.data());
    constexpr std::size_t kStride = kSuperBlock / kSubBlocks;
    for (std::size_t lane = 0; lane < kLanes; lane += 4) {
      const float* rows = values + lane % kSubBlocks * kStride + lane / kSubBlocks * kLaneSize;
      for (std::size_t j = 0; j < kLaneSize; j += 4) {
        transpose_4x4(rows + j, kStride, columns + j * kLanes + lane, kLanes);
      }
    }
  }
}

/// The fit of sub-blocks, given that of lanes.
template <std::size_t kSubBlocks>
LevelFit of_sub_blocks(const LevelFit& fit) noexcept {
  if constexpr (kSubBlocks == kLanes) return fit;
  return {fit.xy + swap_halves(fit.xy), fit.yy + swap_halves(fit.yy)};
}

/// Super-block scales that are tried for each extreme scale.
inline constexpr int kScaleSteps = 32;
static_assert(kScaleSteps % static_cast<int>(kLanes) == 0);

/// The best real-valued scale of each lane with one of the two tables and one sign of the scale.
/// The error near it is about yy * (s - scale)^2 - gain.
struct Candidate {
  Lanes scale = 0;
  Lanes gain = 0;
  Lanes yy = 0;
  Lanes shift = 0;  ///< of the table's levels
};

/// The best comes first.
using Candidates = std::array<Candidate, 4>;

/// Puts the new candidate in its place; the least is lost.
static inline void insert(const Candidate& candidate, Candidates& candidates) noexcept {
  Candidate lost = candidate;
  for (Candidate& c : candidates) {
    const LaneMask better = lost.gain > c.gain;
    const Candidate previous = c;
    for (Lanes Candidate::*member :
         {&Candidate::scale, &Candidate::gain, &Candidate::yy, &Candidate::shift}) {
      c.*member = select(better, lost.*member, previous.*member);
      lost.*member = select(better, previous.*member, lost.*member);
    }
  }
}

/// The unshifted levels, as an object of their own: a part of one is no template argument for clang
/// before version 18.
template <const auto& kTable>
inline constexpr auto kFirstLevels = kTable[0];

/// Tries scales of one sign. `unit`: the inverse scale at which the largest weight meets the
/// outermost level. `fit`: fits levels, given inverse scales.
template <typename Fit>
Candidate best_scales(const Lanes& unit, const LevelSearch& search, const Fit& fit) noexcept {
  Candidate best;
  const float step = (search.highest - search.lowest) / static_cast<float>(search.trials - 1);
  for (int trial = 0; trial < search.trials; ++trial) {
    const LevelFit found = fit(unit * (search.lowest + step * static_cast<float>(trial)));
    const Lanes scale = found.xy / found.yy;
    const Lanes gain = scale * found.xy;
    const LaneMask better = gain > best.gain;
    best.gain = select(better, gain, best.gain);
    best.scale = select(better, scale, best.scale);
    best.yy = select(better, found.yy, best.yy);
  }
  return best;
}

template <const auto& kTable, std::size_t kSubBlocks>
Candidates find_candidates(const Blocks& blocks, const LevelSearch& search) noexcept {
  static constexpr auto& kLevels = kFirstLevels<kTable>;
  Lanes highest = 0;
  Lanes lowest = 0;
  for (const Lanes& row : blocks.x) {
    highest = greater(highest, row);
    lowest = lesser(lowest, row);
  }
  if constexpr (kSubBlocks < kLanes) {
    highest = greater(highest, swap_halves(highest));
    lowest = lesser(lowest, swap_halves(lowest));
  }
  const Lanes extreme = select(highest > Lanes(0) - lowest, highest, lowest);
  const Lanes unit = select(magnitude(extreme) > 0x1p-100f, Lanes(kLevels[0]) / extreme, 0);
  Candidates candidates;
  for (const float sign : {1.0f, -1.0f}) {
    insert(best_scales(unit * sign, search,
                       [&](const Lanes& inverse) noexcept {
                         return of_sub_blocks<kSubBlocks>(
                             fit_levels<kLevels>(blocks.x, blocks.w, inverse));
                       }),
           candidates);
    if constexpr (kTable.size() == 2) {
      constexpr float kShift = kTable[1][0] - kTable[0][0];
      Candidate shifted = best_scales(unit * sign, search, [&](const Lanes& inverse) noexcept {
        return of_sub_blocks<kSubBlocks>(fit_levels<kLevels>(blocks.x, blocks.w, inverse, kShift));
      });
      shifted.shift = kShift;
      insert(shifted, candidates);
    }
  }
  return candidates;
}

/// The scales nearest to `ratio` that the type has.
static inline Lanes nearest_scales(const Lanes& ratio, const ScaleRange& scales) noexcept {
  const float per_step = 1 / scales.step;
  const float last = (scales.last - scales.first) * per_step;
  const Lanes position = (ratio - scales.first) * per_step;
  const Lanes near = nearest_integers(lesser(greater(position, 0), last));
  return near * scales.step + scales.first;
}

/// The super-block scale whose multiples come nearest to what the sub-blocks want, by the
/// candidates' parabolas: no codes are searched, so that many can be tried. One lane, one scale.
template <std::size_t kSubBlocks>
float best_super_scale(const Candidates& candidates, const LevelSearch& search) noexcept {
  const Lanes& favourite = candidates[0].scale;
  const float highest = largest_of_lanes(favourite);
  const float lowest = -largest_of_lanes(Lanes(0) - favourite);
  const float strongest = highest > -lowest ? highest : lowest;
  if (strongest == 0) return 0;
  // The strongest sub-block gets the extreme scale, or one a little inside or beyond it. A range
  // that is not symmetric is tried both ways round.
  constexpr float kLowest = 0.8f;
  constexpr float kStep = 0.5f / (kScaleSteps - 1);
  const bool symmetric = search.scales.first == -search.scales.last;
  ScaleTrials best;
  for (int start = 0; start < (symmetric ? kScaleSteps : 2 * kScaleSteps);
       start += static_cast<int>(kLanes)) {
    const float extreme = start < kScaleSteps ? search.scales.first : search.scales.last;
    const Lanes factor =
        count_up() * kStep + (kLowest + kStep * static_cast<float>(start % kScaleSteps));
    const Lanes d = factor * (strongest / extreme);
    const Lanes inverse = Lanes(1) / d;
    Lanes error = 0;
    for (std::size_t lane = 0; lane < kSubBlocks; ++lane) {
      Lanes least;
      for (std::size_t c = 0; c < search.candidates; ++c) {
        const Lanes wanted = candidates[c].scale[lane];
        const Lanes off = wanted - nearest_scales(wanted * inverse, search.scales) * d;
        const Lanes e = off * off * candidates[c].yy[lane] - candidates[c].gain[lane];
        least = c == 0 ? e : lesser(e, least);
      }
      error = error + least;
    }
    best.add(d, error);
  }
  return best.scale();
}

/// What a super-block scale leads to.
struct Choice {
  Lanes scale;
  Lanes shift;      ///< of the table's levels
  float error = 0;  ///< weighted, less that of coding zeros
  float refit = 0;  ///< the least-squares super-block scale for these codes
  float xy = 0;     ///< sum of w * x * y, y being the decoded value for a super-block scale of 1
};

/// What to multiply values by to get levels; 0 for a scale of 0.
static inline Lanes inverse_scales(const Lanes& scale, float d) noexcept {
  return select(magnitude(scale) > 0, Lanes(1) / (scale * d), 0);
}

template <const auto& kTable>
LevelFit fit_candidate(const Blocks& blocks, const Lanes& inverse, const Lanes& shift) noexcept {
  static constexpr auto& kLevels = kFirstLevels<kTable>;
  if constexpr (kTable.size() == 1) return fit_levels<kLevels>(blocks.x, blocks.w, inverse);
  return fit_levels<kLevels>(blocks.x, blocks.w, inverse, shift);
}

template <const auto& kTable, std::size_t kSubBlocks>
Choice choose(const Blocks& blocks, const Candidates& candidates, float d,
              const LevelSearch& search) noexcept {
  Choice choice;
  Lanes error;
  Lanes xy;
  Lanes yy;
  for (std::size_t c = 0; c < search.candidates; ++c) {
    const Lanes scale = nearest_scales(candidates[c].scale * (1 / d), search.scales);
    const LevelFit fit = of_sub_blocks<kSubBlocks>(
        fit_candidate<kTable>(blocks, inverse_scales(scale, d), candidates[c].shift));
    const Lanes c_xy = scale * fit.xy;
    const Lanes c_yy = scale * scale * fit.yy;
    const Lanes e = (c_yy * d - c_xy * 2) * d;
    if (c == 0) {
      error = e;
      xy = c_xy;
      yy = c_yy;
      choice.scale = scale;
      choice.shift = candidates[c].shift;
      continue;
    }
    const LaneMask better = e < error;
    error = select(better, e, error);
    xy = select(better, c_xy, xy);
    yy = select(better, c_yy, yy);
    choice.scale = select(better, scale, choice.scale);
    choice.shift = select(better, candidates[c].shift, choice.shift);
  }
  choice.error = sum_of_lanes(error);
  const float sum_yy = sum_of_lanes(yy);
  const float sum_xy = sum_of_lanes(xy);
  choice.refit = sum_yy > 0 ? sum_xy / sum_yy : 0.0f;
  choice.xy = sum_xy * (static_cast<float>(kSubBlocks) / kLanes);
  return choice;
}

/// The codes of all weights, in their order, and what they gain.
struct Codes {
  std::array<std::uint8_t, kSuperBlock> code;
  GainOverZeros gain;
};

/// The codes at super-block scale d.
template <const auto& kTable>
Codes find_codes(const Blocks& blocks, const Choice& choice, float d) noexcept {
  static constexpr auto& kLevels = kFirstLevels<kTable>;
  using Nearest = NearestLevel<kLevels>;
  Codes codes;
  const Lanes inverse = inverse_scales(choice.scale, d);
  for (std::size_t j = 0; j < kLaneSize; ++j) {
    std::array<std::int32_t, kLanes> code;
    Lanes level;
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const FloatRegister shift = choice.shift.part[r];
      const IntRegister nearest = Nearest::codes(blocks.x[j].part[r] * inverse.part[r] - shift);
      level.part[r] = Nearest::levels(nearest) + shift;
      std::memcpy(&code[r * kRegisterLanes], &nearest, sizeof(nearest));
    }
    codes.gain.add(blocks.x[j], blocks.q[j], choice.scale * level);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      codes.code[j * kLanes + lane] = static_cast<std::uint8_t>(code[lane]);
    }
  }
  transpose_bytes(codes.code);
  return codes;
}

/// The block that decodes to zeros. Codes of the smallest positive level make them +0.
template <typename Block, const auto& kTable, std::size_t kSubBlocks>
Block zeros() noexcept {
  Block block{};
  std::array<std::uint8_t, kSuperBlock> codes;
  codes.fill(nearest_code(kTable[0], 0.0f));
  for (unsigned b = 0; b < kSubBlocks; ++b) block.set_scale(b, 1);
  block.set_codes(codes);
  return block;
}

/// One super-block. `Block` has d, set_scale and set_codes, and `extra` where there are two tables.
template <typename Block, const auto& kTable, std::size_t kSubBlocks>
Block encode_super_block(const float* values, const float* importance, const LevelSearch& search,
                         float bias_correction) noexcept {
  Blocks blocks;
  to_sub_block_lanes<kSubBlocks>(values, blocks.x);
  if (importance != nullptr) to_sub_block_lanes<kSubBlocks>(importance, blocks.q);
  blocks.prepare<kShareOf<kSubBlocks>>(importance != nullptr);
  if (blocks.block_largest[0] == 0) return zeros<Block, kTable, kSubBlocks>();

  // Scales and codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  const int exponent = blocks.exponent[0];
  const Candidates candidates = find_candidates<kTable, kSubBlocks>(blocks, search);
  Choice best;
  std::uint16_t best_d = 0;
  float wanted = best_super_scale<kSubBlocks>(candidates, search);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint16_t d = round_scale(wanted, exponent);
    if (round > 0 && d == best_d) break;
    const Choice choice =
        choose<kTable, kSubBlocks>(blocks, candidates, stored_scale(d, exponent), search);
    wanted = choice.refit;
    if (choice.error < best.error) {
      best = choice;
      best_d = d;
    }
  }
  if (best_d == 0) return zeros<Block, kTable, kSubBlocks>();

  const float corrected = corrected_scale(best.refit, blocks.norm(), best.xy, bias_correction);
  const Codes codes = find_codes<kTable>(blocks, best, stored_scale(best_d, exponent));
  Block block{};
  block.d = codes.gain.first_positive({round_scale(corrected, exponent), best_d}, exponent);
  if (block.d == 0) return zeros<Block, kTable, kSubBlocks>();
  block.set_codes(codes.code);
  for (unsigned b = 0; b < kSubBlocks; ++b) {
    block.set_scale(b, static_cast<int>(best.scale[b]));
    if constexpr (kTable.size() == 2) {
      block.extra = static_cast<std::uint16_t>(block.extra | (best.shift[b] > 0 ? 1u : 0u) << b);
    }
  }
  return block;
}

}  // namespace level_search

/// Encodes rows of a type of this family. Per sub-block, table and sign the best real-valued scale
/// is found by trial; then the super-block scale of which they are nearly multiples; then, at that
/// scale in fp16, each sub-block takes the table and scale of least error, and the super-block
/// scale is refitted by least squares; at last it is corrected for their shrinkage.
template <typename Block, const auto& kTable, std::size_t kSubBlocks = kLanes>
void encode_levels(const EncodeRows& rows, std::byte* out, const LevelSearch& search) noexcept {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < rows.row_elements; start += level_search::kSuperBlock) {
      const float* importance = rows.importance == nullptr ? nullptr : rows.importance + start;
      const Block block = level_search::encode_super_block<Block, kTable, kSubBlocks>(
          values + start, importance, search, rows.bias_correction);
      std::memcpy(out, &block, sizeof(Block));
      out += sizeof(Block);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
