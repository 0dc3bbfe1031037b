#pragma once

// The encoder of the types whose octets name entries of a codebook of magnitudes, with signs beside
// them, and whose sub-blocks have odd multiples, 1 to 31, of the super-block's scale: IQ2_XS,
// IQ2_S, IQ3_XXS, IQ3_S.
//
// The method, for each super-block:
//
// 1. Search the codes of every octet at a few scales around the one that its sub-block is likely to
//    have, without regard to the super-block scale d.
// 2. The error of given codes is a parabola in the scale. So what was found foretells the error at
//    any scale, and d is chosen from many by the lower envelopes of the parabolas.
// 3. With d known, each sub-block takes its best of the 16 multiples, codes are searched again at
//    exactly that scale, each octet takes the best of all that was found for it, and d is refitted
//    by least squares; and so again, at the refitted d.
// 4. The last d is corrected for the shrinkage of least squares (bias_correction.h).

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/lattice/magnitude_search.h"
#include "codec/lattice/octets.h"
#include "codec/lattice/scale_trials.h"
#include "codec/lattice/weighting.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// What an effort pays for: the scales searched first, as multiples of the sub-block's likely scale
/// (likely_scale()), and how many times codes are searched once a super-block scale is known.
template <std::size_t kFirstOf, std::size_t kRoundsOf>
struct MagnitudeEffort {
  static constexpr std::size_t kFirst = kFirstOf;
  static constexpr std::size_t kRounds = kRoundsOf;
  std::array<float, kFirst> first_scales;
};

namespace magnitude_encoder {

inline constexpr int kMultiples = 16;

template <typename Format, std::size_t kFound>
using Found = std::array<OctetCodes<Format>, kFound>;

/// A whole super-block decided, but for d.
template <typename Format>
struct Solution {
  Lanes multiple;  ///< of the sub-block's scale, in all of its lanes
  OctetCodes<Format> codes;
  float dot = 0;  ///< sum of w * |x| * y, y being the decoded value for d = 1
  float norm = 0;
};

/// A guess at each sub-block's scale: the geometric mean of the scale at which the largest weight
/// meets the largest magnitude, and of that at which a mean size, leaning to large weights, meets
/// the middle one. Best scales are nearer to it than to either of the two.
template <typename Format>
Lanes likely_scale(const Octets& octets) noexcept {
  std::array<Lanes, kLaneHalves> xx = {0, 0};
  std::array<Lanes, kLaneHalves> sizes = {0, 0};
  Lanes largest = 0;
  for (std::size_t row = 0; row < octets.x.size(); ++row) {
    const Lanes size = magnitude(octets.x[row]);
    const Lanes wx = octets.w[row] * size;
    sizes[row % kLaneHalves] = sizes[row % kLaneHalves] + wx;
    xx[row % kLaneHalves] = xx[row % kLaneHalves] + wx * size;
    largest = greater(largest, size);
  }
  if constexpr (Format::kSubBlock == 32) largest = greater(largest, swap_halves(largest));
  constexpr float kMiddle = Format::kMagnitudes[Format::kLevels / 2];
  const Lanes mean = sum_of_sub_blocks<Format::kSubBlock>(xx) /
                     greater(sum_of_sub_blocks<Format::kSubBlock>(sizes), 0x1p-100f);
  return square_root(mean * largest * (1 / (kMiddle * Format::kLargest)));
}

/// The super-block scale that looks best by the first `count` searches; 0 if nothing is better than
/// zeros.
template <typename Format, std::size_t kFound>
float choose_scale(const Found<Format, kFound>& found, std::size_t count) noexcept {
  std::array<Lanes, kFound> scale;  // of each parabola's lowest point
  std::array<Lanes, kFound> gain;
  std::array<Lanes, kFound> norm;
  Lanes highest = 0;
  Lanes wanted = 0;
  for (std::size_t n = 0; n < count; ++n) {
    const Lanes dot = sum_of_sub_blocks<Format::kSubBlock>(found[n].dot);
    norm[n] = sum_of_sub_blocks<Format::kSubBlock>(found[n].norm);
    scale[n] = greater(dot / norm[n], 0);
    gain[n] = scale[n] * dot;
    wanted = select(gain[n] > highest, scale[n], wanted);
    highest = greater(gain[n], highest);
  }
  const float widest = largest_of_lanes(wanted) / (2 * kMultiples - 1);
  if (!(widest > 0)) return 0;

  // The strongest sub-block gets the largest multiple, or one a little inside or beyond it.
  constexpr int kSteps = 48;
  constexpr float kLowest = 0.8f;
  constexpr float kStep = 0.6f / (kSteps - 1);
  ScaleTrials best;
  for (int start = 0; start < kSteps; start += static_cast<int>(kLanes)) {  // one lane, one scale
    const Lanes d = (count_up() * kStep + (kLowest + kStep * static_cast<float>(start))) * widest;
    const Lanes inverse = Lanes(0.5f) / d;
    Lanes error = 0;
    for (std::size_t b = 0; b < 256 / Format::kSubBlock; ++b) {
      Lanes least;
      for (std::size_t n = 0; n < count; ++n) {
        const Lanes place = Lanes(scale[n][b]) * inverse - 0.5f;
        const Lanes near = nearest_integers(greater(lesser(place, kMultiples - 1), 0));
        const Lanes off = (place - near) * d * 2;
        const Lanes e = off * off * norm[n][b] - gain[n][b];
        least = n == 0 ? e : lesser(e, least);
      }
      error = error + least;
    }
    best.add(d, error);
  }
  return best.scale();
}

/// The error of an octet's codes at scale s, over s, but for what all codes have in common.
template <typename Format>
Lanes error_slope(const OctetCodes<Format>& codes, std::size_t h, const Lanes& s) noexcept {
  return s * codes.norm[h] - codes.dot[h] * 2;
}

/// For each sub-block the multiple of d that promises the least error.
template <typename Format, std::size_t kFound>
Lanes choose_multiples(const Found<Format, kFound>& found, std::size_t count, float d) noexcept {
  Lanes best = 1;
  Lanes least = 0x1p120f;
  for (int l = 0; l < kMultiples; ++l) {
    const float multiple = static_cast<float>(2 * l + 1);
    const Lanes s = d * multiple;
    std::array<Lanes, kLaneHalves> error;
    for (std::size_t h = 0; h < kLaneHalves; ++h) {
      error[h] = error_slope(found[0], h, s);
      for (std::size_t n = 1; n < count; ++n) {
        error[h] = lesser(error[h], error_slope(found[n], h, s));
      }
    }
    const Lanes sum = s * sum_of_sub_blocks<Format::kSubBlock>(error);
    best = select(sum < least, multiple, best);
    least = lesser(sum, least);
  }
  return best;
}

/// The best of what was found, at these multiples of d.
template <typename Format, std::size_t kFound>
void solve(const Found<Format, kFound>& found, std::size_t count, const Lanes& multiple, float d,
           Solution<Format>& solution) noexcept {
  solution.multiple = multiple;
  solution.codes = found[0];
  OctetCodes<Format>& best = solution.codes;
  const Lanes s = multiple * d;
  Lanes dot = 0;
  Lanes norm = 0;
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    Lanes least = error_slope(best, h, s);
    for (std::size_t n = 1; n < count; ++n) {
      const Lanes e = error_slope(found[n], h, s);
      const LaneMask better = e < least;
      least = lesser(e, least);
      best.dot[h] = select(better, found[n].dot[h], best.dot[h]);
      best.norm[h] = select(better, found[n].norm[h], best.norm[h]);
      for (std::size_t part = 0; part < Format::kParts; ++part) {
        for (std::size_t r = 0; r < kRegisters; ++r) {
          std::int32_t* const to = &best.entry[part][h][r * kRegisterLanes];
          IntRegister old;
          IntRegister other;
          std::memcpy(&old, to, sizeof(old));
          std::memcpy(&other, &found[n].entry[part][h][r * kRegisterLanes], sizeof(other));
          old = better.part[r] ? other : old;
          std::memcpy(to, &old, sizeof(old));
        }
      }
    }
    dot = dot + best.dot[h] * multiple;
    norm = norm + best.norm[h] * (multiple * multiple);
  }
  solution.dot = sum_of_lanes(dot);
  solution.norm = sum_of_lanes(norm);
}

/// The block on disk, with the first of these d that makes it better than zeros; else zeros.
template <typename Type>
typename Type::Block make_block(const Octets& octets,
                                const MagnitudeSearch<typename Type::Format>& search,
                                const Solution<typename Type::Format>& solution,
                                const std::array<std::uint16_t, 2>& wanted) noexcept {
  using Format = typename Type::Format;
  const OctetValues values = search.with_signs(solution.codes);
  const Lanes scale = solution.multiple * Type::kUnit;
  GainOverZeros gain;
  for (std::size_t row = 0; row < octets.x.size(); ++row) {
    gain.add(octets.x[row], octets.q[row], scale * values.y[row]);
  }
  typename Type::Block block{};
  block.d = gain.first_positive(wanted, octets.exponent[0]);
  if (block.d == 0) return block;
  constexpr std::size_t kInSubBlock = Format::kSubBlock / kOctet;
  for (std::size_t octet = 0; octet < kOctets; ++octet) {
    const std::size_t lane =
        lane_of_octet<Format::kSubBlock>(octet / kInSubBlock, octet % kInSubBlock);
    std::array<unsigned, Format::kParts> entries;
    for (std::size_t part = 0; part < Format::kParts; ++part) {
      entries[part] =
          static_cast<unsigned>(solution.codes.entry[part][lane / kLanes][lane % kLanes]);
    }
    block.set_octet(octet, entries,
                    static_cast<unsigned>(values.signs[lane / kLanes][lane % kLanes]));
  }
  for (std::size_t b = 0; b < 256 / Format::kSubBlock; ++b) {
    block.set_scale(b, static_cast<unsigned>(static_cast<int>(solution.multiple[b])) / 2);
  }
  return block;
}

template <typename Type, const auto& kEffort>
typename Type::Block encode_super_block(const float* values, const float* importance,
                                        float bias_correction) noexcept {
  using Format = typename Type::Format;
  constexpr std::size_t kFirst = kEffort.kFirst;
  constexpr std::size_t kRounds = kEffort.kRounds;
  Octets octets;
  to_octet_rows<Format::kSubBlock>(values, octets.x);
  if (importance != nullptr) to_octet_rows<Format::kSubBlock>(importance, octets.q);
  octets.prepare<kShareOfOctets<Format::kSubBlock>>(importance != nullptr);
  if (octets.block_largest[0] == 0) return {};

  const Lanes likely = likely_scale<Format>(octets);
  const MagnitudeSearch<Format> search(octets);
  Found<Format, kFirst + kRounds> found;
  for (std::size_t n = 0; n < kFirst; ++n) {
    search.nearest(likely * kEffort.first_scales[n], found[n]);
  }
  const int exponent = octets.exponent[0];
  const auto round = [&](float d) noexcept { return round_scale(d * (1 / Type::kUnit), exponent); };
  float d = choose_scale<Format>(found, kFirst);
  if (!(d > 0)) return {};
  Solution<Format> solution;
  float gain = 0;
  float best_d = 0;
  for (std::size_t n = kFirst; n < found.size(); ++n) {
    d = stored_scale(round(d), exponent) * Type::kUnit;
    search.nearest(choose_multiples<Format>(found, n, d) * d, found[n]);
    Solution<Format> other;
    solve<Format>(found, n + 1, choose_multiples<Format>(found, n + 1, d), d, other);
    if (!(other.dot > 0)) break;
    d = other.dot / other.norm;
    if (other.dot * d > gain) {
      gain = other.dot * d;
      best_d = d;
      solution = other;
    }
  }
  if (!(gain > 0)) return {};
  const float corrected = corrected_scale(best_d, octets.norm(), solution.dot, bias_correction);
  return make_block<Type>(octets, search, solution, {round(corrected), round(best_d)});
}

template <typename Type, const auto& kEffort>
void encode(const EncodeRows& rows, std::byte* out) noexcept {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < rows.row_elements; start += 256) {
      const float* importance = rows.importance == nullptr ? nullptr : rows.importance + start;
      const auto block =
          encode_super_block<Type, kEffort>(values + start, importance, rows.bias_correction);
      std::memcpy(out, &block, sizeof(block));
      out += sizeof(block);
    }
  }
}

}  // namespace magnitude_encoder

/// Encodes rows. `Type` has the Format, the Block with its setters, kUnit (a sub-block's scale is
/// kUnit * d times its multiple), and an effort for each Effort.
template <typename Type>
void encode_magnitudes(const EncodeRows& rows, std::byte* out) noexcept {
  if (rows.effort == Effort::fast) {
    magnitude_encoder::encode<Type, Type::kFast>(rows, out);
  } else {
    magnitude_encoder::encode<Type, Type::kBest>(rows, out);
  }
}

}  // namespace sluice::inline SLUICE_ISA
