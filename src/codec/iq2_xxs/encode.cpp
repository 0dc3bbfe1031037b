#include <algorithm>
#include <array>
#include <cstring>

#include "codec/iq2_xxs/block.h"
#include "codec/iq2_xxs/iq2_xxs.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/scale_trials.h"
#include "codec/lattice/signed_search.h"
#include "codec/lattice/weighting.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kSuperBlock = 256;
constexpr std::size_t kSubBlocks = 8;
constexpr std::size_t kGroups = 4;  // in a sub-block

/// The scale at which the largest weight meets the largest magnitude, times kLowest to kHighest, is
/// tried. More trials than 12, or a wider range, gain less than 0.1 % of the error.
constexpr float kLowest = 0.5f;
constexpr float kHighest = 1.5f;
constexpr std::size_t trials(Effort effort) noexcept {
  return effort == Effort::fast ? 4 : 12;
}

// What follows is the same in both lanes of a sub-block, lane b and lane b + 8.

/// The best real-valued scale of each sub-block. The error near it is about
/// norm * (s - scale)^2 - gain.
struct Candidate {
  Lanes scale;
  Lanes norm;
};

Candidate best_scales(const SignedSearch& search, const Lanes& largest_scale,
                      std::size_t trials) noexcept {
  constexpr float kFirst = kLowest / kHighest;
  std::array<Lanes, SignedSearch::kMaxTrials> errors;
  search.try_scales(trials, kFirst, errors);
  const float step = (1 - kFirst) / static_cast<float>(trials - 1);
  Lanes best = kFirst;
  Lanes least = errors[0];
  for (std::size_t t = 1; t < trials; ++t) {
    const LaneMask better = errors[t] < least;
    best = select(better, kFirst + step * static_cast<float>(t), best);
    least = select(better, errors[t], least);
  }
  const NearestEntries entries = search.nearest(best * largest_scale);
  return {select(entries.dot > 0, entries.dot / entries.norm, 0), entries.norm};
}

/// A scale on disk stands for (2 l + 1) / 8 of the super-block's, l from 0 to 15.
float scale_factor(int l) noexcept {
  return 0.125f * static_cast<float>(2 * l + 1);
}

/// The factors of those l whose factor is nearest to `ratio`.
Lanes nearest_factors(const Lanes& ratio) noexcept {
  const Lanes l = nearest_integers(lesser(greater(ratio * 4 - 0.5f, 0), 15));
  return l * 0.25f + 0.125f;
}

/// The super-block scale whose multiples come nearest to what the sub-blocks want, by the
/// candidate's parabolas: no codes are searched, so that many can be tried.
float best_super_scale(const Candidate& candidate) noexcept {
  const float strongest = largest_of_lanes(candidate.scale);
  if (!(strongest > 0)) return 0;
  // The strongest sub-block gets the largest scale, or one a little inside or beyond it.
  constexpr int kSteps = 48;
  constexpr float kFirst = 0.8f;
  constexpr float kStep = 0.6f / (kSteps - 1);
  ScaleTrials best;
  for (int start = 0; start < kSteps; start += static_cast<int>(kLanes)) {  // one lane, one scale
    const Lanes factor = count_up() * kStep + (kFirst + kStep * static_cast<float>(start));
    const Lanes d = factor * (strongest / scale_factor(15));
    const Lanes inverse = Lanes(1) / d;
    Lanes error = 0;
    for (std::size_t b = 0; b < kSubBlocks; ++b) {
      const Lanes wanted = candidate.scale[b];
      const Lanes off = wanted - nearest_factors(wanted * inverse) * d;
      error = error + off * off * candidate.norm[b];
    }
    best.add(d, error);
  }
  return best.scale();
}

/// What a super-block scale leads to.
struct Choice {
  Lanes factor;  ///< of each sub-block's scale
  NearestEntries entries;
  float error = 0;  ///< weighted, less that of coding zeros, twice: for both lanes
  float refit = 0;  ///< the least-squares super-block scale for these codes
  float dot = 0;    ///< sum of w * |x| * y, y being the decoded value for a super-block scale of 1
};

void choose(const SignedSearch& search, const Candidate& candidate, float d,
            Choice& choice) noexcept {
  // The neighbours of the nearest scale gain less than 0.1 % of the error.
  choice.factor = nearest_factors(candidate.scale * (1 / d));
  const Lanes scale = choice.factor * d;
  choice.entries = search.nearest(scale);
  const Lanes& dot = choice.entries.dot;
  const Lanes& norm = choice.entries.norm;
  choice.error = sum_of_lanes(scale * (scale * norm - dot * 2));
  const float sum_norm = sum_of_lanes(choice.factor * choice.factor * norm);
  const float sum_dot = sum_of_lanes(choice.factor * dot);
  choice.refit = sum_norm > 0 ? sum_dot / sum_norm : 0.0f;
  choice.dot = sum_dot / 2;
}

/// The block on disk, with the first of these super-block scales that makes it better than zeros;
/// else zeros.
BlockIq2Xxs make_block(const Groups& groups, const SignedSearch& search, const Choice& choice,
                       const std::array<std::uint16_t, 2>& wanted) noexcept {
  const SignedEntries entries = search.with_signs(choice.entries);
  GainOverZeros gain;
  for (std::size_t row = 0; row < groups.x.size(); ++row) {
    gain.add(groups.x[row], groups.q[row], choice.factor * entries.y[row]);
  }
  BlockIq2Xxs out{};
  out.d = gain.first_positive(wanted, groups.exponent[0]);
  if (out.d == 0) return out;
  for (std::size_t b = 0; b < kSubBlocks; ++b) {
    std::uint32_t word = static_cast<std::uint32_t>(choice.factor[b] * 4) << 28;
    for (std::size_t k = 0; k < kGroups; ++k) {
      const std::size_t lane = kSubBlocks * (k % 2) + b;
      out.sub_block[b].index[k] = static_cast<std::uint8_t>(choice.entries.index[k / 2][lane]);
      word |= static_cast<std::uint32_t>(entries.sign_index[k / 2][lane]) << 7 * k;
    }
    out.sub_block[b].signs_and_scale[0] = static_cast<std::uint16_t>(word);
    out.sub_block[b].signs_and_scale[1] = static_cast<std::uint16_t>(word >> 16);
  }
  return out;
}

BlockIq2Xxs encode_super_block(const float* values, const float* importance, Effort effort,
                               float bias_correction) noexcept {
  Groups groups;
  to_group_rows(values, groups.x);
  if (importance != nullptr) to_group_rows(importance, groups.q);
  groups.prepare<Share::pairs>(importance != nullptr);
  if (groups.block_largest[0] == 0) return {};

  Lanes largest = 0;
  for (const Lanes& row : groups.x) largest = greater(largest, magnitude(row));
  largest = greater(largest, swap_halves(largest));
  const Lanes largest_scale = largest * (kHighest / kIq2Magnitudes[2]);
  const SignedSearch search(groups, largest_scale);
  const Candidate candidate = best_scales(search, largest_scale, trials(effort));

  // Scales and codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  const int exponent = groups.exponent[0];
  std::array<Choice, 2> choices;  // the best, and the one that is tried
  std::size_t best = 0;
  std::uint16_t best_d = 0;
  float wanted = best_super_scale(candidate);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint16_t d = round_scale(wanted, exponent);
    if (round > 0 && d == best_d) break;
    Choice& choice = choices[1 - best];
    choose(search, candidate, stored_scale(d, exponent), choice);
    wanted = choice.refit;
    if (choice.error < choices[best].error) {
      best = 1 - best;
      best_d = d;
    }
  }
  if (best_d == 0) return {};
  const Choice& choice = choices[best];
  const float corrected = corrected_scale(choice.refit, groups.norm(), choice.dot, bias_correction);
  return make_block(groups, search, choice, {round_scale(corrected, exponent), best_d});
}

}  // namespace

void encode_iq2_xxs(const EncodeRows& rows, std::byte* out) noexcept {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < rows.row_elements; start += kSuperBlock) {
      const BlockIq2Xxs block = encode_super_block(
          values + start, rows.importance == nullptr ? nullptr : rows.importance + start,
          rows.effort, rows.bias_correction);
      std::memcpy(out, &block, sizeof(block));
      out += sizeof(block);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
