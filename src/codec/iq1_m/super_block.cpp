#include "codec/iq1_m/super_block.h"

#include <bit>
#include <cstdint>

namespace sluice::inline SLUICE_ISA::iq1_m {
namespace {

/// sigma2 is this times the super-block's mean x^2. #327 has 1.5, over 32 weights. The larger it
/// is, the nearer the weights are to importance alone. Both ends measure worse on real models (KL
/// divergence); from 3 to 8 there is little to choose.
constexpr float kSigma2 = 6.0f;

/// What importance is raised by, as a share of the super-block's mean, but for columns without any.
/// It was measured on some text; on another one columns matter otherwise, and more alike. From 0.2
/// to 0.7 there is little to choose.
constexpr float kMeanShare = 0.2f;

/// No importance, as a share of the super-block's largest, counts as this much: groups without any
/// are still coded near their values, at no cost to the others.
constexpr float kLeastImportance = 0x1p-60f;

/// The power of two at or below `magnitude`, within the range whose inverse is a normal number.
float power_of_two_below(float magnitude) noexcept {
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(magnitude) >> 23;
  return std::bit_cast<float>((exponent < 1 ? 1u : exponent > 253 ? 253u : exponent) << 23);
}

/// Sub-block b's 16 values are lane b of 16 vectors, 8 for its even group and 8 for its odd one.
void turn(const float* values, Halves* turned) noexcept {
  Floats columns[2 * kWidth];
  iq1_m::transpose(values, columns);
  for (std::size_t j = 0; j < kWidth; ++j) {
    turned[j] = {columns[j], columns[kWidth + j]};
  }
}

float largest_of(const Halves* values) noexcept {
  Floats result = all(0);
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (const Floats& half : values[j].half) result = most(result, magnitude(half));
  }
  return largest(result);
}

}  // namespace

void load_importance(const float* importance, Importance& loaded) noexcept {
  if (importance == nullptr) {
    for (Halves& q : loaded.q) q = {all(1), all(1)};
    loaded.share = 0;  // of ones, any share is the same
    return;
  }
  turn(importance, loaded.q);
  const Floats factor = all(1.0f / power_of_two_below(largest_of(loaded.q)));
  Halves sums{all(0), all(0)};
  for (Halves& q : loaded.q) {
    for (std::size_t h = 0; h < 2; ++h) {
      q.half[h] = q.half[h] * factor;
      sums.half[h] = sums.half[h] + q.half[h];
    }
  }
  loaded.share = kMeanShare / BlockIq1M::kElements * sum(sums.half[0], sums.half[1]);
}

void load_values(const float* x, const Importance& importance, SuperBlock& block) noexcept {
  turn(x, block.groups.x);
  const float largest = largest_of(block.groups.x);
  block.unit = largest > 0 ? power_of_two_below(largest) : 0;
  if (block.unit == 0) return;
  const Floats factor = all(1.0f / block.unit);
  Halves squares{all(0), all(0)};
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t h = 0; h < 2; ++h) {
      const Floats value = block.groups.x[j].half[h] * factor;
      block.groups.x[j].half[h] = value;
      squares.half[h] = squares.half[h] + value * value;
    }
  }
  const Floats sigma2 = all(kSigma2 / BlockIq1M::kElements * sum(squares.half[0], squares.half[1]));
  const Floats share = all(importance.share);
  Halves w[kWidth];
  Halves xx{all(0), all(0)};
  Halves magnitudes = xx;
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t h = 0; h < 2; ++h) {
      const Floats value = block.groups.x[j].half[h];
      const Floats q = importance.q[j].half[h];
      const Floats raised = select(all(0) < q, q + share, all(kLeastImportance));
      const Floats weight = raised * root(sigma2 + value * value);
      const Floats wx = weight * value;
      w[j].half[h] = weight;
      block.wx[j].half[h] = wx;
      xx.half[h] = xx.half[h] + wx * value;
      magnitudes.half[h] = magnitudes.half[h] + magnitude(wx);
    }
  }
  block.xx = sum(xx.half[0], xx.half[1]);
  // A mean magnitude that leans to the values that will not be coded as zeros. (Of no weight at
  // all: 0.)
  block.likely_scale = pair_sum(xx) / most(pair_sum(magnitudes), all(0x1p-120f));
  prepare(w, block.wx, block.groups);
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
