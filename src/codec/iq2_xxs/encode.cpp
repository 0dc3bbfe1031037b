#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "codec/iq2_xxs/block.h"
#include "codec/iq2_xxs/iq2_xxs.h"
#include "codec/lattice/codebooks.h"
#include "codec/lattice/signed_search.h"
#include "codec/lattice/signs.h"
#include "codec/lattice/weighting_old.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kSuperBlock = 256;
constexpr std::size_t kSubBlock = 32;
constexpr std::size_t kGroups = kSubBlock / kGroupSize;  // in a sub-block
static_assert(kSuperBlock / kSubBlock == kGroupLanes);   // one lane, one sub-block

/// A super-block: group k of all eight sub-blocks, for each k.
struct SuperBlock {
  std::array<SignedGroups, kGroups> groups;
  std::array<EntrySums, kGroups> sums;
};

/// The best codes of each sub-block at its scale. The error is that of coding zeros plus
/// scale * scale * norm - 2 * scale * dot.
struct Codes {
  std::array<std::array<std::uint32_t, kGroupLanes>, kGroups> index;
  GroupLanes dot{};
  GroupLanes norm{};
};

Codes search(const SuperBlock& block, const GroupLanes& scale) noexcept {
  Codes codes;
  for (std::size_t k = 0; k < kGroups; ++k) {
    const NearestEntries nearest = nearest_entries(block.sums[k], scale);
    codes.index[k] = nearest.index;
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
      codes.dot[lane] += nearest.dot[lane];
      codes.norm[lane] += nearest.norm[lane];
    }
  }
  return codes;
}

/// The best real-valued scale of each sub-block. The error near it is about
/// norm * (s - scale)^2 - gain.
struct Candidate {
  GroupLanes scale{};
  GroupLanes gain{};
  GroupLanes norm{};
};

/// Tries the scale at which the largest weight meets the largest magnitude, times kLowest to
/// kHighest, each refitted by least squares.
Candidate best_scales(const SuperBlock& block, const GroupLanes& largest) noexcept {
  // More trials, or a wider range, gain less than 0.1 % of the error.
  constexpr int kTrials = 10;
  constexpr float kLowest = 0.5f;
  constexpr float kHighest = 1.5f;
  Candidate best;
  for (int trial = 0; trial < kTrials; ++trial) {
    const float step = (kHighest - kLowest) / (kTrials - 1);
    const float factor = (kLowest + step * static_cast<float>(trial)) / kIq2Magnitudes[2];
    GroupLanes scale;
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) scale[lane] = factor * largest[lane];
    const Codes codes = search(block, scale);
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
      const float fitted = codes.dot[lane] / codes.norm[lane];
      const float gain = fitted * codes.dot[lane];
      const bool better = gain > best.gain[lane];
      best.gain[lane] = better ? gain : best.gain[lane];
      best.scale[lane] = better ? fitted : best.scale[lane];
      best.norm[lane] = better ? codes.norm[lane] : best.norm[lane];
    }
  }
  return best;
}

/// A scale on disk stands for (2 l + 1) / 8 of the super-block's, l from 0 to 15.
float scale_factor(int l) noexcept {
  return 0.125f * static_cast<float>(2 * l + 1);
}

/// The l whose factor is nearest to `ratio`.
int nearest_scale(float ratio) noexcept {
  const float position = 4 * ratio - 0.5f;
  return static_cast<int>((position < 0 ? 0.0f : position > 15 ? 15.0f : position) + 0.5f);
}

/// The super-block scale whose multiples come nearest to what the sub-blocks want, by the
/// candidate's parabolas: no codes are searched, so that many can be tried.
float best_super_scale(const Candidate& candidate) noexcept {
  float strongest = 0;
  for (const float scale : candidate.scale) strongest = std::max(strongest, scale);
  if (strongest == 0) return 0;
  // The strongest sub-block gets the largest scale, or one a little inside or beyond it.
  constexpr int kSteps = 48;
  constexpr float kLowest = 0.8f;
  constexpr float kStep = 0.6f / (kSteps - 1);
  float best = 0;
  float best_error = 0;
  for (int i = 0; i < kSteps; ++i) {
    const float d = strongest / scale_factor(15) * (kLowest + kStep * static_cast<float>(i));
    const float inverse = 1 / d;
    float error = 0;
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
      const float wanted = candidate.scale[lane];
      const float off = wanted - d * scale_factor(nearest_scale(wanted * inverse));
      error += candidate.norm[lane] * off * off;
    }
    if (i == 0 || error < best_error) {
      best_error = error;
      best = d;
    }
  }
  return best;
}

/// What a super-block scale leads to.
struct Choice {
  std::array<int, kGroupLanes> scale{};  ///< l
  std::array<std::array<std::uint32_t, kGroupLanes>, kGroups> index{};
  float error = 0;  ///< weighted, less that of coding zeros
  float refit = 0;  ///< the least-squares super-block scale for these codes
};

Choice choose(const SuperBlock& block, const Candidate& candidate, float d) noexcept {
  Choice choice;
  GroupLanes scale;
  for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
    // The neighbours of the nearest scale gain less than 0.1 % of the error.
    choice.scale[lane] = nearest_scale(candidate.scale[lane] / d);
    scale[lane] = d * scale_factor(choice.scale[lane]);
  }
  const Codes codes = search(block, scale);
  choice.index = codes.index;
  float dot = 0;
  float norm = 0;
  for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
    const float s = scale[lane];
    const float factor = scale_factor(choice.scale[lane]);
    choice.error += s * (s * codes.norm[lane] - 2 * codes.dot[lane]);
    dot += factor * codes.dot[lane];
    norm += factor * factor * codes.norm[lane];
  }
  choice.refit = norm > 0 ? dot / norm : 0.0f;
  return choice;
}

/// The block on disk, or zeros where it is no better than they.
BlockIq2Xxs make_block(const WeightedBlock<kSuperBlock>& weighted, const SuperBlock& block,
                       const Choice& choice, std::uint16_t d) noexcept {
  BlockIq2Xxs out{};
  out.d = d;
  double error = 0;
  double error_of_zeros = 0;
  for (std::size_t b = 0; b < kGroupLanes; ++b) {
    const float scale = weighted.stored_scale(d) * scale_factor(choice.scale[b]);
    std::uint32_t word = static_cast<std::uint32_t>(choice.scale[b]) << 28;
    for (std::size_t k = 0; k < kGroups; ++k) {
      const std::uint32_t entry = choice.index[k][b];
      const unsigned signs = best_sign_index(block.groups[k], b, entry);
      out.sub_block[b].index[k] = static_cast<std::uint8_t>(entry);
      word |= signs << 7 * k;
      std::array<float, kGroupSize> decoded;
      decode_signed(kIq2xxsCodebook[entry], expand_signs(signs), scale, decoded.data());
      for (std::size_t j = 0; j < kGroupSize; ++j) {
        const std::size_t i = kSubBlock * b + kGroupSize * k + j;
        const double x = weighted.x[i];
        const double off = x - decoded[j];
        error += weighted.q[i] * off * off;
        error_of_zeros += weighted.q[i] * x * x;
      }
    }
    out.sub_block[b].signs_and_scale[0] = static_cast<std::uint16_t>(word);
    out.sub_block[b].signs_and_scale[1] = static_cast<std::uint16_t>(word >> 16);
  }
  return error < error_of_zeros ? out : BlockIq2Xxs{};
}

BlockIq2Xxs encode_super_block(const float* values, const float* importance) noexcept {
  WeightedBlock<kSuperBlock> weighted;
  weighted.load<kSubBlock>(values, importance);
  if (weighted.zero) return {};

  SuperBlock block;
  GroupLanes largest{};
  for (std::size_t k = 0; k < kGroups; ++k) {
    for (std::size_t j = 0; j < kGroupSize; ++j) {
      for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
        const std::size_t i = kSubBlock * lane + kGroupSize * k + j;
        block.groups[k].x[j][lane] = weighted.x[i];
        block.groups[k].w[j][lane] = weighted.w[i];
        largest[lane] = std::max(largest[lane], std::fabs(weighted.x[i]));
      }
    }
    sum_entries(block.groups[k], block.sums[k]);
  }

  // Scales and codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  const Candidate candidate = best_scales(block, largest);
  Choice best;
  std::uint16_t best_d = 0;
  float wanted = best_super_scale(candidate);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint16_t d = weighted.round_scale(wanted);
    if (round > 0 && d == best_d) break;
    const Choice choice = choose(block, candidate, weighted.stored_scale(d));
    wanted = choice.refit;
    if (choice.error < best.error) {
      best = choice;
      best_d = d;
    }
  }
  return best_d == 0 ? BlockIq2Xxs{} : make_block(weighted, block, best, best_d);
}

}  // namespace

void encode_iq2_xxs(const EncodeRows& rows, std::byte* out) noexcept {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < rows.row_elements; start += kSuperBlock) {
      const BlockIq2Xxs block = encode_super_block(
          values + start, rows.importance == nullptr ? nullptr : rows.importance + start);
      std::memcpy(out, &block, sizeof(block));
      out += sizeof(block);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
