#include <array>
#include <cstdint>

#include "base/float16.h"
#include "codec/iq1_m/block.h"
#include "codec/iq1_m/codes.h"
#include "codec/iq1_m/group_search.h"
#include "codec/iq1_m/iq1_m.h"
#include "codec/iq1_m/lookups.h"
#include "codec/iq1_m/super_block.h"

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
//    again at exactly that scale, each group takes the best of all that was found for it, and d is
//    refitted by least squares; `best` does so once more for that d.
// 5. Least squares shrinks: it leaves decoded values too small on average along the true ones, and
//    shrinkage adds up over a model's layers while noise averages out. So the stored d is the one
//    that makes them unbiased, sum w x^2 / sum w x y. Codes belong to the least-squares scale; this
//    comes last.

using iq1_m::all;
using iq1_m::Choice;
using iq1_m::Floats;
using iq1_m::Halves;
using iq1_m::kFloats;
using iq1_m::kWidth;
using iq1_m::Shorts;
using iq1_m::SuperBlock;

constexpr std::size_t kSubBlocks = BlockIq1M::kSubBlocks;
static_assert(kSubBlocks == kFloats, "a half of the groups has one of each sub-block");
constexpr int kScales = BlockIq1M::kMaxScale + 1;

/// What an effort pays for: the scales searched first, as multiples of the sub-block's
/// sum w x^2 / sum w |x|, and how many vectors a search looks at. 98 % of best scales are between
/// 0.80 and 1.65 times that, and each search serves its neighbourhood.
struct Best {
  static constexpr std::array<float, 4> kFirstScales = {0.85f, 1.0f, 1.2f, 1.45f};
  static constexpr std::size_t kSets = iq1_m::kAllSets;
  static constexpr int kRefits = 2;
};
struct Fast {
  static constexpr std::array<float, 2> kFirstScales = {0.95f, 1.3f};
  static constexpr std::size_t kSets = iq1_m::kFewSets;
  static constexpr int kRefits = 1;
};

/// Super-block scales compared, as multiples of the one that gives the largest sub-block scale to
/// the largest of the 8: outside of this range the error is hardly ever smaller.
constexpr std::size_t kTrials = kFloats;
constexpr float kFirstTrial = 0.6f;
constexpr float kTrialStep = 0.045f;

constexpr float kLargestHalf = 65504.0f;

/// A whole super-block decided, but for d.
struct Solution {
  Floats multiple;  ///< 2 * scale + 1 of each sub-block
  Shorts code;      ///< see Choice
  float xy = 0;     ///< sum of w * x * y, y being the decoded value for d = 1
  float yy = 0;
};

/// The super-block scale that looks best by what was found; 0 if nothing is better than zero.
template <std::size_t kFound>
float choose_d(const Choice* found) noexcept {
  float best_scale[kFound][kSubBlocks];  // of each parabola
  float gain[kFound][kSubBlocks];
  float curvature[kFound][kSubBlocks];
  Floats highest = all(0);
  Floats scale = all(0);
  for (std::size_t n = 0; n < kFound; ++n) {
    const Floats xy = pair_sum(found[n].twice_xy) * all(0.5f);
    const Floats yy = pair_sum(found[n].yy);
    const Floats best = most(xy / yy, all(0));
    const Floats most_gain = xy * best;
    scale = select(highest < most_gain, best, scale);
    highest = most(highest, most_gain);
    store(best, best_scale[n]);
    store(most_gain, gain[n]);
    store(yy, curvature[n]);
  }
  const float widest = largest(scale) / (2 * kScales - 1);
  if (!(widest > 0)) return 0;

  float trials[kTrials];
  for (std::size_t t = 0; t < kTrials; ++t) {
    trials[t] = widest * (kFirstTrial + kTrialStep * static_cast<float>(t));
  }
  const Floats step = iq1_m::load(trials) + iq1_m::load(trials);
  const Floats inverse = all(1) / step;
  const Floats square = step * step;
  Floats error = all(0);
  for (std::size_t b = 0; b < kSubBlocks; ++b) {
    Floats lowest;
    for (std::size_t n = 0; n < kFound; ++n) {
      // The odd multiple of d next to the parabola's lowest point.
      const Floats place = all(best_scale[n][b]) * inverse;
      const Floats below = truncate(least(place, all(kScales - 1)));
      const Floats miss = place - below - all(0.5f);
      const Floats e = all(curvature[n][b]) * square * (miss * miss) - all(gain[n][b]);
      lowest = n == 0 ? e : least(lowest, e);
    }
    error = error + lowest;
  }
  return trials[place_of_least(error)];
}

/// The error of a choice at scale s, over s, but for what all choices have in common.
Floats error_slope(const Choice& choice, std::size_t h, const Floats& s) noexcept {
  return s * choice.yy.half[h] - choice.twice_xy.half[h];
}

/// For each sub-block the one of the 8 multiples of d that promises the least error.
template <std::size_t kFound>
Floats choose_multiples(const Choice* found, float d) noexcept {
  Floats best = all(1);
  Floats lowest = all(0x1p120f);
  for (int scale = 0; scale < kScales; ++scale) {
    const float multiple = static_cast<float>(2 * scale + 1);
    const Floats s = all(d * multiple);
    Halves error{error_slope(found[0], 0, s), error_slope(found[0], 1, s)};
    for (std::size_t n = 1; n < kFound; ++n) {
      for (std::size_t h = 0; h < 2; ++h) {
        error.half[h] = least(error.half[h], error_slope(found[n], h, s));
      }
    }
    const Floats both = s * pair_sum(error);
    best = select(both < lowest, all(multiple), best);
    lowest = least(lowest, both);
  }
  return best;
}

/// The best of what was found for super-block scale d.
template <std::size_t kFound>
Solution solve(const Choice* found, float d) noexcept {
  Solution solution;
  solution.multiple = choose_multiples<kFound>(found, d);
  const Floats s = solution.multiple * all(d);
  Choice best = found[0];
  Halves lowest{error_slope(best, 0, s), error_slope(best, 1, s)};
  for (std::size_t n = 1; n < kFound; ++n) {
    iq1_m::FloatMask better[2];
    for (std::size_t h = 0; h < 2; ++h) {
      const Floats e = error_slope(found[n], h, s);
      better[h] = e < lowest.half[h];
      best.twice_xy.half[h] = select(better[h], found[n].twice_xy.half[h], best.twice_xy.half[h]);
      best.yy.half[h] = select(better[h], found[n].yy.half[h], best.yy.half[h]);
      lowest.half[h] = least(lowest.half[h], e);
    }
    best.code = select(join(better[0], better[1]), found[n].code, best.code);
  }
  solution.code = best.code;
  solution.xy = 0.5f * sum(pair_sum(best.twice_xy) * solution.multiple);
  solution.yy = sum(pair_sum(best.yy) * (solution.multiple * solution.multiple));
  return solution;
}

/// Codes, shifts and multiples; false if zeros are as good.
template <typename Settings>
bool fit(const SuperBlock& block, Solution& best) noexcept {
  constexpr std::size_t kFirst = Settings::kFirstScales.size();
  Choice found[kFirst + 1];
  for (std::size_t n = 0; n < kFirst; ++n) {
    const Floats scale = block.likely_scale * all(Settings::kFirstScales[n]);
    iq1_m::search<Settings::kSets>(block.groups, {scale, scale}, found[n]);
  }
  float d = choose_d<kFirst>(found);
  if (!(d > 0)) return false;
  const Floats scale = choose_multiples<kFirst>(found, d) * all(d);
  iq1_m::search<Settings::kSets>(block.groups, {scale, scale}, found[kFirst]);
  float highest = 0;
  for (int refit = 0; refit < Settings::kRefits; ++refit) {
    const Solution solution = solve<kFirst + 1>(found, d);
    if (!(solution.xy > 0)) break;
    d = solution.xy / solution.yy;
    if (solution.xy * d > highest) {
      highest = solution.xy * d;
      best = solution;
    }
  }
  return highest > 0;
}

/// The scale to store, as an fp16, for decoded values y (at d = 1) of the solution.
std::uint16_t final_d(const SuperBlock& block, const Halves* q, const Solution& solution) noexcept {
  const Shorts flags = iq1_m::flags_of(solution.code & iq1_m::shorts(iq1_m::kNegativeShift - 1));
  const iq1_m::LaneMask shifted_down = any_bit(solution.code, iq1_m::kNegativeShift);
  Halves shift;
  for (std::size_t h = 0; h < 2; ++h) {
    shift.half[h] = select(half(shifted_down, h), all(-kIq1Delta), all(kIq1Delta));
  }
  Halves xy{all(0), all(0)};
  Halves qxy = xy;
  Halves qyy = xy;
  for (std::size_t j = 0; j < kWidth; ++j) {
    const iq1_m::LaneMask plus = any_bit(flags, 1 << (2 * j));
    const iq1_m::LaneMask minus = any_bit(flags, 2 << (2 * j));
    for (std::size_t h = 0; h < 2; ++h) {
      const Floats code = select(half(plus, h), all(1), select(half(minus, h), all(-1), all(0)));
      const Floats y = code + shift.half[h];
      const Floats qy = q[j].half[h] * y;
      xy.half[h] = xy.half[h] + block.wx[j].half[h] * y;
      qxy.half[h] = qxy.half[h] + qy * block.groups.x[j].half[h];
      qyy.half[h] = qyy.half[h] + qy * y;
    }
  }
  const Floats multiple = solution.multiple;
  const float unbiased = block.xx / sum(pair_sum(xy) * multiple) * block.unit;
  const std::uint16_t unbiased_half = f32_to_f16(unbiased < kLargestHalf ? unbiased : kLargestHalf);
  // Under the plain importance q, the error is below that of zeros up to twice the best scale. The
  // unbiased scale leaves that range only where the codes say next to nothing about the values;
  // then the best scale under q it is, or zero.
  const float yy = sum(pair_sum(qyy) * (multiple * multiple));
  if (!(yy > 0)) return unbiased_half;  // no column has any importance
  const float best = sum(pair_sum(qxy) * multiple) / yy * block.unit;
  if (f16_to_f32(unbiased_half) <= 1.999f * best) return unbiased_half;
  return f32_to_f16(best < 0 ? 0.0f : best < kLargestHalf ? best : kLargestHalf);
}

/// Without a solution, a block of zeros.
void write(const Solution& solution, std::uint16_t d, BlockIq1M& block) noexcept {
  std::uint16_t codes[iq1_m::kLanes];
  float multiples[kSubBlocks];
  store(solution.code, codes);
  store(solution.multiple, multiples);
  const auto entry = [&](std::size_t lane) noexcept {
    const unsigned code = codes[lane];
    return iq1_m::kEntryOfVector[code % iq1_m::kNegativeShift] |
           (code & iq1_m::kNegativeShift) >> 2;  // the 12th bit
  };
  for (std::size_t b = 0; b < kSubBlocks; ++b) {
    const unsigned even = entry(iq1_m::lane_of_group(2 * b));
    const unsigned odd = entry(iq1_m::lane_of_group(2 * b + 1));
    block.index_low[2 * b] = static_cast<std::uint8_t>(even);
    block.index_low[2 * b + 1] = static_cast<std::uint8_t>(odd);
    block.index_high[b] = static_cast<std::uint8_t>(even >> 8 | odd >> 8 << 4);
  }
  for (std::size_t word = 0; word < kSubBlocks / 4; ++word) {
    unsigned bits = (d >> (4 * word) & 15u) << 12;
    for (std::size_t b = 0; b < 4; ++b) {
      bits |= static_cast<unsigned>(static_cast<int>(multiples[4 * word + b])) / 2 << (3 * b);
    }
    block.scales[word][0] = static_cast<std::uint8_t>(bits);
    block.scales[word][1] = static_cast<std::uint8_t>(bits >> 8);
  }
}

template <typename Settings>
void encode_super_block(const float* x, const Halves* q, BlockIq1M& out) noexcept {
  Solution solution;
  solution.code = iq1_m::shorts(iq1_m::kZeroVector);
  solution.multiple = all(1);
  SuperBlock block;
  load_values(x, q, block);
  std::uint16_t d = 0;
  if (block.unit > 0 && fit<Settings>(block, solution)) d = final_d(block, q, solution);
  write(solution, d, out);
}

/// Super-blocks side by side whose importance is made ready once for all rows. Few, so that it
/// stays in the nearest cache; not one, so that values are read in runs that the processor
/// foresees.
constexpr std::size_t kColumns = 8;
constexpr std::size_t kCacheLine = 64;

/// Asks for a super-block's values ahead of their use.
void prefetch(const float* x) noexcept {
  for (std::size_t i = 0; i < BlockIq1M::kElements; i += kCacheLine / sizeof(float)) {
    __builtin_prefetch(x + i);
  }
}

template <typename Settings>
void encode(const EncodeRows& rows, BlockIq1M* out) noexcept {
  const std::size_t row_blocks = rows.row_elements / BlockIq1M::kElements;
  for (std::size_t first = 0; first < row_blocks; first += kColumns) {
    const std::size_t columns = row_blocks - first < kColumns ? row_blocks - first : kColumns;
    Halves q[kColumns][kWidth];
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t start = (first + c) * BlockIq1M::kElements;
      load_importance(rows.importance == nullptr ? nullptr : rows.importance + start, q[c]);
    }
    for (std::size_t row = 0; row < rows.rows; ++row) {
      const float* x = rows.values + row * rows.row_elements + first * BlockIq1M::kElements;
      BlockIq1M* blocks = out + row * row_blocks + first;
      for (std::size_t c = 0; c < columns; ++c, x += BlockIq1M::kElements) {
        if (c + 1 < columns) {
          prefetch(x + BlockIq1M::kElements);
        } else if (row + 1 < rows.rows) {
          prefetch(x - c * BlockIq1M::kElements + rows.row_elements);
        }
        encode_super_block<Settings>(x, q[c], blocks[c]);
      }
    }
  }
}

}  // namespace

void encode_iq1_m(const EncodeRows& rows, std::byte* out) noexcept {
  auto* blocks = reinterpret_cast<BlockIq1M*>(out);
  if (rows.effort == Effort::fast) {
    encode<Fast>(rows, blocks);
  } else {
    encode<Best>(rows, blocks);
  }
}

}  // namespace sluice::inline SLUICE_ISA
