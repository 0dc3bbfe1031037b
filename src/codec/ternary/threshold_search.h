#pragma once

// The encoder of TQ1_0 and TQ2_0: 256 weights, each -d, 0 or d.
//
// What is as large as a threshold t becomes +-d. With S0 and S1 the sums of q and of q |x| over
// these weights, the best d is S1 / S0, and takes S1^2 / S0 off the error of zeros. Several t are
// tried; at the best one, as everywhere, t = d / 2. Of weights that are -d, 0 and d already any t
// below d finds just these, and d to within the rounding of a sum, which is below that of binary16.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

#include "base/float16.h"
#include "codec/half.h"
#include "codec/rows.h"
#include "codec/weighting.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// Which thresholds are tried, as multiples of the mean magnitude, and how often d / 2 is.
struct TernaryEffort {
  std::span<const float> thresholds;
  int refinements;
};

namespace threshold_search {

inline constexpr std::size_t kBlock = 256;

/// The least-squares scale of the weights that are as large as a threshold.
struct Fit {
  float scale = 0;
  float gain = 0;
};

using Rows = std::array<simd::Floats, 16>;

inline Fit fit_above(const Rows& magnitudes, const Rows& weighted, const Rows& q,
                     float threshold) noexcept {
  simd::Floats sum_q = 0;
  simd::Floats sum_qx = 0;
  for (std::size_t j = 0; j < 16; ++j) {
    const simd::FloatMask reached = magnitudes[j] >= threshold;
    sum_q = add_where(reached, sum_q, q[j]);
    sum_qx = add_where(reached, sum_qx, weighted[j]);
  }
  const float s0 = reduce_sum(sum_q);
  const float s1 = reduce_sum(sum_qx);
  return s0 > 0 ? Fit{s1 / s0, s1 / s0 * s1} : Fit{};
}

/// The scale of a block as stored. `importance` may be null.
inline std::uint16_t best_scale(const float* values, const float* importance,
                                const TernaryEffort& effort) noexcept {
  WeightedBlocks<16> block;
  std::memcpy(block.x.data(), values, sizeof(block.x));
  if (importance != nullptr) std::memcpy(block.q.data(), importance, sizeof(block.q));
  block.normalize<Share::block>(importance != nullptr);
  if (block.block_largest[0] == 0) return 0;
  Rows weighted;
  simd::Floats sum_q = 0;
  simd::Floats sum_qx = 0;
  for (std::size_t j = 0; j < 16; ++j) {
    block.x[j] = abs(block.x[j]);
    weighted[j] = block.q[j] * block.x[j];
    sum_q += block.q[j];
    sum_qx += weighted[j];
  }
  const float mean = reduce_sum(sum_qx) / reduce_sum(sum_q);
  Fit best;
  for (const float threshold : effort.thresholds) {
    const Fit fit = fit_above(block.x, weighted, block.q, mean * threshold);
    if (fit.gain > best.gain) best = fit;
  }
  for (int round = 0; round < effort.refinements; ++round) {
    const Fit fit = fit_above(block.x, weighted, block.q, best.scale / 2);
    if (fit.gain > best.gain) best = fit;
  }
  return best.scale > 0 ? round_scale(best.scale, block.exponent[0]) : std::uint16_t{0};
}

/// Codes 0, 1 and 2 for -d, 0 and d, the nearest to each value: no weight's error is more than that
/// of coding zero.
inline void nearest_codes(const float* values, float d, std::uint8_t* codes) noexcept {
  const float border = d > 0 ? d / 2 : std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < kBlock; ++i) {
    codes[i] = static_cast<std::uint8_t>(1 + (values[i] >= border) - (values[i] <= -border));
  }
}

}  // namespace threshold_search

/// Encodes rows. Block has d, and set_codes() for the rest.
template <typename Block>
void encode_ternary_blocks(const EncodeRows& rows, std::byte* out) noexcept {
  static constexpr std::array kFew = {0.8f, 1.2f};
  static constexpr std::array kMany = {0.6f, 0.9f, 1.2f, 1.6f};
  const TernaryEffort effort =
      rows.effort == Effort::fast ? TernaryEffort{kFew, 1} : TernaryEffort{kMany, 2};
  encode_blocks<Block>(rows, out, [&](const float* values, const float* importance) noexcept {
    Block block;
    block.d = threshold_search::best_scale(values, importance, effort);
    std::uint8_t codes[threshold_search::kBlock];
    threshold_search::nearest_codes(values, f16_to_f32(block.d), codes);
    block.set_codes(codes);
    return block;
  });
}

}  // namespace sluice::inline SLUICE_ISA
