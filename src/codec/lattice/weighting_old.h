#pragma once

// What the encoders of this room minimise, and the range they work in.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/float16.h"

namespace sluice::inline SLUICE_ISA {

/// `kElements` weights that share a scale on disk, ready for a search.
///
/// Values are scaled by a power of two that brings the largest into [1, 2), so that squares neither
/// overflow nor vanish whatever the input's range. Importance likewise. The error weight is
/// w = q * sqrt(2 * mean(x^2) + x^2), as ik_llama.cpp has it. Plain q would give 1 to 5 % less of
/// the error that q weighs; these weights gave a model less divergence when tried with IQ1_M.
template <std::size_t kElements>
struct WeightedBlock {
  std::array<float, kElements> x;
  std::array<float, kElements> q;  ///< importance; ones if there is none
  std::array<float, kElements> w;  ///< weight of a squared error; positive unless all x are zero
  int exponent = 0;                ///< original value = x * 2^exponent
  bool zero = true;                ///< nothing to code: all values (that matter) are zero

  /// `importance` may be null. `kSubBlock` weights share the finest scale of the type.
  template <std::size_t kSubBlock>
  void load(const float* values, const float* importance) noexcept;

  /// The fp16 scale nearest to `scale` (of scaled values), never 0 and never infinite, so that the
  /// search goes on at what the block will hold. The scale's sign is kept.
  std::uint16_t round_scale(float scale) const noexcept {
    const double original = std::clamp(double{scale} * std::ldexp(1.0, exponent), -65504., 65504.);
    const std::uint16_t half = f32_to_f16(static_cast<float>(original));
    return half & 0x7fffu ? half : static_cast<std::uint16_t>(half | 1u);
  }

  /// What a stored scale means for scaled values.
  float stored_scale(std::uint16_t half) const noexcept {
    return static_cast<float>(double{f16_to_f32(half)} * std::ldexp(1.0, -exponent));
  }
};

/// 2^-e for the e with 2^e <= largest < 2^(e+1); denormals included. Double, because float has no
/// 2^149.
inline double power_below(float largest) noexcept {
  return std::ldexp(1.0, std::ilogb(largest));
}

template <std::size_t kElements>
template <std::size_t kSubBlock>
void WeightedBlock<kElements>::load(const float* values, const float* importance) noexcept {
  float largest_q = 0;
  for (std::size_t i = 0; importance != nullptr && i < kElements; ++i) {
    largest_q = std::max(largest_q, importance[i]);
  }
  if (largest_q > 0) {
    const double factor = 1 / power_below(largest_q);
    for (std::size_t i = 0; i < kElements; ++i) {
      q[i] = static_cast<float>(importance[i] * factor);
    }
  } else {
    q.fill(1.0f);
  }

  // A column of no importance may hold anything, also an outlier that would waste the scales'
  // range: it follows the others.
  std::array<float, kElements / kSubBlock> largest{};
  for (std::size_t i = 0; i < kElements; ++i) {
    if (q[i] > 0) largest[i / kSubBlock] = std::max(largest[i / kSubBlock], std::fabs(values[i]));
  }
  const float largest_x = *std::max_element(largest.begin(), largest.end());
  zero = largest_x == 0;
  if (zero) return;
  exponent = std::ilogb(largest_x);
  const double factor = std::ldexp(1.0, -exponent);
  for (std::size_t i = 0; i < kElements; ++i) {
    const float sub_block_largest = largest[i / kSubBlock];
    const float bound = sub_block_largest > 0 ? sub_block_largest : largest_x;
    x[i] = static_cast<float>(std::clamp(values[i], -bound, bound) * factor);
  }

  float sum = 0;
  for (const float value : x) sum += value * value;
  const float sigma2 = 2 * sum / static_cast<float>(kElements);
  // The floor lets sub-blocks without importance still be coded as themselves.
  for (std::size_t i = 0; i < kElements; ++i) {
    w[i] = std::max(q[i], 0x1p-40f) * std::sqrt(sigma2 + x[i] * x[i]);
  }
}

}  // namespace sluice::inline SLUICE_ISA
