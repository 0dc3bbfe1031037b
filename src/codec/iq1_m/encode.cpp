#include <algorithm>
#include <bit>
#include <cmath>

#include "base/float16.h"
#include "codec/iq1_m/block.h"
#include "codec/iq1_m/codes.h"
#include "codec/iq1_m/group_search.h"
#include "codec/iq1_m/iq1_m.h"

namespace sluice::inline SLUICE_ISA {
namespace {

// The method, for each super-block:
//
// 1. Weigh errors by w = q * sqrt(sigma2 + x^2), as pull request #327 of ik_llama.cpp does, with
//    another sigma2.
// 2. Search codes and shifts of every group at a few scales around the one that its sub-block is
//    likely to have, without regard to the super-block scale d.
// 3. The error of a given code and shift is a parabola in the scale. So what was found foretells
//    the error at any scale, and d is chosen from many by the lower envelopes of the parabolas.
// 4. With d known, each sub-block takes its best of the 8 scales, codes and shifts are searched
//    again at exactly that scale, and d is refitted by least squares. Two rounds.
// 5. Least squares shrinks: it leaves decoded values too small on average along the true ones, and
//    shrinkage adds up over a model's layers while noise averages out. So the stored d is the one
//    that makes them unbiased, sum w x^2 / sum w x y. Codes belong to the least-squares scale; this
//    comes last.

using iq1_m::Choice;
using iq1_m::Groups;
using iq1_m::kLanes;
using iq1_m::kWidth;
using iq1_m::Lanes;

constexpr std::size_t kSubBlocks = BlockIq1M::kSubBlocks;
constexpr int kScales = BlockIq1M::kMaxScale + 1;

template <typename T>
struct alignas(64) SubBlocks : std::array<T, kSubBlocks> {};

/// sigma2 is this times the super-block's mean x^2. #327 has 1.5, over 32 weights. The larger it
/// is, the nearer the weights are to q alone. Both ends measure worse on a real model (KL
/// divergence); from 3 to 6 there is little to choose.
constexpr float kSigma2 = 3.0f;

/// Scales searched first, as multiples of the sub-block's sum w x^2 / sum w |x|: 98 % of best
/// scales are between 0.80 and 1.65 times that, and each search serves its neighbourhood.
constexpr std::array<float, 4> kFirstScales = {0.85f, 1.0f, 1.2f, 1.45f};

/// Super-block scales compared, as multiples of the one that gives the largest sub-block scale to
/// the largest of the 8: outside of this range the error is hardly ever smaller.
constexpr std::size_t kTrials = 32;
constexpr float kFirstTrial = 0.6f;
constexpr float kTrialStep = 0.0225f;

constexpr int kRounds = 2;

/// Importance below this share of the super-block's largest counts as this much: groups without any
/// are still coded near their values, at no cost to the others.
constexpr float kLeastImportance = 0x1p-60f;

constexpr float kLargestHalf = 65504.0f;

/// The power of two at or below `magnitude`, within the range whose inverse is a normal number.
float power_of_two_below(float magnitude) noexcept {
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(magnitude) >> 23;
  return std::bit_cast<float>(std::clamp(exponent, 1u, 253u) << 23);
}

/// Always in the same order, whatever the register width.
float sum(const Lanes<float>& lanes) noexcept {
  Lanes<float> values = lanes;
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) values[lane] += values[lane + width];
  }
  return values[0];
}

/// Adds up the two groups of each sub-block.
SubBlocks<float> pair_sum(const Lanes<float>& values) noexcept {
  SubBlocks<float> sums;
  for (std::size_t b = 0; b < kSubBlocks; ++b) sums[b] = values[b] + values[b + kSubBlocks];
  return sums;
}

/// Gives both groups of each sub-block its value.
Lanes<float> spread(const SubBlocks<float>& values) noexcept {
  Lanes<float> lanes;
  for (std::size_t b = 0; b < kSubBlocks; ++b) lanes[b] = lanes[b + kSubBlocks] = values[b];
  return lanes;
}

/// A super-block made ready: values and importance scaled by powers of two so that their largest
/// are in [1, 2) and nothing can overflow or vanish that matters.
struct SuperBlock {
  Groups groups;
  std::array<Lanes<float>, kWidth> q;  ///< importance, the weight of the user's error
  float unit;                          ///< what values were divided by
};

/// Null `importance` counts as all ones. The largest of |x| must not be zero.
void load(const float* x, const float* importance, float largest, SuperBlock& block) noexcept {
  block.unit = power_of_two_below(largest);
  const float x_factor = 1.0f / block.unit;
  float q_factor = 1.0f;
  if (importance != nullptr) {
    q_factor =
        1.0f / power_of_two_below(*std::max_element(importance, importance + kLanes * kWidth));
  }
  Lanes<float> squares{};
  for (std::size_t group = 0; group < kLanes; ++group) {
    const std::size_t lane = iq1_m::lane_of_group(group);
    for (std::size_t j = 0; j < kWidth; ++j) {
      const std::size_t i = group * kWidth + j;
      const float q = importance == nullptr ? 1.0f : importance[i] * q_factor;
      block.groups.x[j][lane] = x[i] * x_factor;
      block.q[j][lane] = q;
    }
  }
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      squares[lane] += block.groups.x[j][lane] * block.groups.x[j][lane];
    }
  }
  const float sigma2 = kSigma2 / (kLanes * kWidth) * sum(squares);
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = block.groups.x[j][lane];
      const float q = std::max(block.q[j][lane], kLeastImportance);
      block.groups.w[j][lane] = q * std::sqrt(sigma2 + value * value);
    }
  }
  iq1_m::prepare(block.groups);
}

/// Where each sub-block's best scale is likely to be: sum w x^2 / sum w |x|, a mean magnitude that
/// leans to the values that will not be coded as zeros.
SubBlocks<float> likely_scales(const Groups& groups) noexcept {
  Lanes<float> squares{};
  Lanes<float> magnitudes{};
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      squares[lane] += groups.wx[j][lane] * groups.x[j][lane];
      magnitudes[lane] += std::abs(groups.wx[j][lane]);
    }
  }
  const SubBlocks<float> square = pair_sum(squares);
  const SubBlocks<float> magnitude = pair_sum(magnitudes);
  SubBlocks<float> scales;
  for (std::size_t b = 0; b < kSubBlocks; ++b) {
    scales[b] = magnitude[b] > 0 ? square[b] / magnitude[b] : 0;
  }
  return scales;
}

/// Codes and shifts found so far, and what they foretell.
struct Found {
  std::array<Choice, kFirstScales.size() + kRounds> choices;
  std::size_t count = 0;
};

/// A whole super-block decided, but for d.
struct Solution {
  Lanes<float> multiple;  ///< 2 * scale + 1 of the group's sub-block
  Lanes<std::uint16_t> number;
  Lanes<std::uint16_t> shift;
  float xy = 0;  ///< sum of w * x * y, y being the decoded value for d = 1
  float yy = 0;
};

/// The super-block scale that looks best by what was found; 0 if nothing is better than zero.
float choose_d(const Found& found) noexcept {
  std::array<SubBlocks<float>, kFirstScales.size()> best_scale;  // of each parabola
  std::array<SubBlocks<float>, kFirstScales.size()> gain;
  std::array<SubBlocks<float>, kFirstScales.size()> curvature;
  SubBlocks<float> most{};
  SubBlocks<float> scale{};
  for (std::size_t n = 0; n < kFirstScales.size(); ++n) {
    const SubBlocks<float> xy = pair_sum(found.choices[n].xy);
    curvature[n] = pair_sum(found.choices[n].yy);
    for (std::size_t b = 0; b < kSubBlocks; ++b) {
      best_scale[n][b] = xy[b] / curvature[n][b];
      gain[n][b] = xy[b] * best_scale[n][b];
      scale[b] = gain[n][b] > most[b] ? best_scale[n][b] : scale[b];
      most[b] = std::max(most[b], gain[n][b]);
    }
  }
  const float widest = *std::max_element(scale.begin(), scale.end()) / (2 * kScales - 1);
  if (!(widest > 0)) return 0;

  std::array<float, kTrials> d;
  std::array<float, kTrials> half_inverse;
  std::array<float, kTrials> error{};
  for (std::size_t t = 0; t < kTrials; ++t) {
    d[t] = widest * (kFirstTrial + kTrialStep * static_cast<float>(t));
    half_inverse[t] = 0.5f / d[t];
  }
  for (std::size_t b = 0; b < kSubBlocks; ++b) {
    std::array<float, kTrials> least;
    for (std::size_t n = 0; n < kFirstScales.size(); ++n) {
      for (std::size_t t = 0; t < kTrials; ++t) {
        // The odd multiple of d next to the parabola's lowest point.
        const float below = std::min(best_scale[n][b] * half_inverse[t], kScales - 1.0f);
        const float multiple = static_cast<float>(2 * static_cast<int>(std::max(below, 0.0f)) + 1);
        const float miss = d[t] * multiple - best_scale[n][b];
        const float e = curvature[n][b] * miss * miss - gain[n][b];
        least[t] = n == 0 ? e : std::min(least[t], e);
      }
    }
    for (std::size_t t = 0; t < kTrials; ++t) error[t] += least[t];
  }
  return d[static_cast<std::size_t>(std::min_element(error.begin(), error.end()) - error.begin())];
}

/// The error of the best of the found choices for each group at scale d * multiple.
Lanes<float> envelope(const Found& found, const Lanes<float>& scale) noexcept {
  Lanes<float> least;
  least.fill(0x1p120f);
  for (std::size_t n = 0; n < found.count; ++n) {
    const Choice& choice = found.choices[n];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float s = scale[lane];
      least[lane] = std::min(least[lane], s * (s * choice.yy[lane] - 2 * choice.xy[lane]));
    }
  }
  return least;
}

/// For each sub-block the one of the 8 multiples of d that promises the least error.
Lanes<float> choose_multiples(const Found& found, float d) noexcept {
  SubBlocks<float> best{};
  SubBlocks<float> least;
  least.fill(0x1p120f);
  for (int scale = 0; scale < kScales; ++scale) {
    const float multiple = static_cast<float>(2 * scale + 1);
    Lanes<float> scales;
    scales.fill(d * multiple);
    const SubBlocks<float> error = pair_sum(envelope(found, scales));
    for (std::size_t b = 0; b < kSubBlocks; ++b) {
      best[b] = error[b] < least[b] ? multiple : best[b];
      least[b] = std::min(error[b], least[b]);
    }
  }
  return spread(best);
}

Lanes<float> times(const Lanes<float>& multiple, float d) noexcept {
  Lanes<float> scales;
  for (std::size_t lane = 0; lane < kLanes; ++lane) scales[lane] = multiple[lane] * d;
  return scales;
}

/// The best of what was found for super-block scale d.
Solution solve(const Found& found, float d) noexcept {
  Solution solution;
  solution.multiple = choose_multiples(found, d);
  const Lanes<float> scale = times(solution.multiple, d);
  Lanes<float> least;
  Lanes<float> xy{};
  Lanes<float> yy{};
  least.fill(0x1p120f);
  solution.number.fill(iq1_m::kZeroVector);
  solution.shift.fill(0);
  for (std::size_t n = 0; n < found.count; ++n) {
    const Choice& choice = found.choices[n];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float s = scale[lane];
      const float error = s * (s * choice.yy[lane] - 2 * choice.xy[lane]);
      const bool better = error < least[lane];
      solution.number[lane] = better ? choice.number[lane] : solution.number[lane];
      solution.shift[lane] = better ? choice.shift[lane] : solution.shift[lane];
      xy[lane] = better ? choice.xy[lane] : xy[lane];
      yy[lane] = better ? choice.yy[lane] : yy[lane];
      least[lane] = better ? error : least[lane];
    }
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    xy[lane] *= solution.multiple[lane];
    yy[lane] *= solution.multiple[lane] * solution.multiple[lane];
  }
  solution.xy = sum(xy);
  solution.yy = sum(yy);
  return solution;
}

/// Codes, shifts and multiples; false if zeros are as good.
bool fit(const Groups& groups, Solution& best) noexcept {
  Found found;
  const SubBlocks<float> likely = likely_scales(groups);
  for (const float factor : kFirstScales) {
    iq1_m::search(groups, times(spread(likely), factor), found.choices[found.count++]);
  }
  float d = choose_d(found);
  if (!(d > 0)) return false;
  float most = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Lanes<float> scale = times(choose_multiples(found, d), d);
    iq1_m::search(groups, scale, found.choices[found.count++]);
    const Solution solution = solve(found, d);
    if (!(solution.xy > 0)) break;
    d = solution.xy / solution.yy;
    if (solution.xy * d > most) {
      most = solution.xy * d;
      best = solution;
    }
  }
  return most > 0;
}

/// The scale to store, as an fp16, for decoded values y (at d = 1) of the solution.
std::uint16_t final_d(const SuperBlock& block, const Solution& solution) noexcept {
  Lanes<float> xx{};
  Lanes<float> xy{};
  Lanes<float> yy{};
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float x = block.groups.x[j][lane];
      const auto& codes = kIq1sCodebook[iq1_m::kEntryOfVector[solution.number[lane]]];
      const float shift = solution.shift[lane] != 0 ? -kIq1Delta : kIq1Delta;
      const float y = solution.multiple[lane] * (static_cast<float>(codes[j]) + shift);
      xx[lane] += block.groups.wx[j][lane] * x;
      xy[lane] += block.q[j][lane] * x * y;
      yy[lane] += block.q[j][lane] * y * y;
    }
  }
  const float unbiased = sum(xx) / solution.xy * block.unit;
  const std::uint16_t half = f32_to_f16(std::min(unbiased, kLargestHalf));
  // Under the plain importance q, the error is below that of zeros up to twice the best scale. The
  // unbiased scale leaves that range only where the codes say next to nothing about the values;
  // then the best scale under q it is, or zero.
  const float yy_sum = sum(yy);
  if (!(yy_sum > 0)) return half;  // no column has any importance
  const float best = sum(xy) / yy_sum * block.unit;
  if (f16_to_f32(half) <= 1.999f * best) return half;
  return f32_to_f16(std::clamp(best, 0.0f, kLargestHalf));
}

/// Without a solution, a block of zeros.
void write(const Solution& solution, std::uint16_t d, BlockIq1M& block) noexcept {
  block = {};
  for (std::size_t group = 0; group < BlockIq1M::kGroups; ++group) {
    const std::size_t lane = iq1_m::lane_of_group(group);
    const std::uint16_t entry = iq1_m::kEntryOfVector[solution.number[lane]];
    const unsigned nibble = entry >> 8 | (solution.shift[lane] != 0 ? 8u : 0u);
    block.index_low[group] = static_cast<std::uint8_t>(entry);
    block.index_high[group / 2] |= static_cast<std::uint8_t>(nibble << (4 * (group % 2)));
  }
  for (std::size_t word = 0; word < kSubBlocks / 4; ++word) {
    unsigned bits = (d >> (4 * word) & 15u) << 12;
    for (std::size_t b = 0; b < 4; ++b) {
      const unsigned scale = static_cast<unsigned>(solution.multiple[4 * word + b]) / 2;
      bits |= scale << (3 * b);
    }
    block.scales[word][0] = static_cast<std::uint8_t>(bits);
    block.scales[word][1] = static_cast<std::uint8_t>(bits >> 8);
  }
}

void encode_super_block(const float* x, const float* importance, BlockIq1M& out) noexcept {
  Solution solution;
  solution.number.fill(iq1_m::kZeroVector);
  solution.shift.fill(0);
  solution.multiple.fill(1);
  float largest = 0;
  for (std::size_t i = 0; i < BlockIq1M::kElements; ++i) {
    largest = std::max(largest, std::abs(x[i]));
  }
  std::uint16_t d = 0;
  if (largest > 0) {
    SuperBlock block;
    load(x, importance, largest, block);
    if (fit(block.groups, solution)) d = final_d(block, solution);
  }
  write(solution, d, out);
}

}  // namespace

void encode_iq1_m(const EncodeRows& rows, std::byte* out) noexcept {
  auto* block = reinterpret_cast<BlockIq1M*>(out);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* x = rows.values + row * rows.row_elements;
    for (std::size_t i = 0; i < rows.row_elements; i += BlockIq1M::kElements) {
      encode_super_block(x + i, rows.importance == nullptr ? nullptr : rows.importance + i,
                         *block++);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
