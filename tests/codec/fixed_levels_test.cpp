// TQ1_0, TQ2_0, Q1_0, Q2_0, MXFP4 and NVFP4: checkpoints that were trained in these types come through exactly, and
// others are coded as well as the types allow.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/float16.h"
#include "codec/random_rows.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

using testing_support::Random;

std::vector<std::byte> encode(TensorType type, const std::vector<float>& values,
                              const std::vector<float>& importance, Effort effort) {
  std::vector<std::byte> blocks(byte_size(type, values.size()));
  find_codec(type)->encode({.values = values.data(),
                            .rows = 1,
                            .row_elements = values.size(),
                            .importance = importance.empty() ? nullptr : importance.data(),
                            .effort = effort},
                           blocks.data());
  return blocks;
}

std::vector<float> decode(TensorType type, const std::vector<std::byte>& blocks,
                          std::size_t elements) {
  std::vector<float> values(elements);
  find_codec(type)->decode(blocks.data(), values.data(), elements);
  return values;
}

std::vector<float> random_importance(Random& random, std::size_t count) {
  std::vector<float> importance(count);
  for (float& q : importance) q = static_cast<float>(random.magnitude(-2, 2));
  return importance;
}

class Ternary : public testing::TestWithParam<std::pair<TensorType, Effort>> {};

TEST_P(Ternary, WeightsOfOneMagnitudeComeThroughExactly) {
  const auto [type, effort] = GetParam();
  Random random("ternary");
  constexpr std::size_t kBlocks = 8;
  for (int trial = 0; trial < 3000; ++trial) {
    // A scale as BF16 checkpoints have it: 8 bits, and normal in binary16. From hardly any weight
    // that is not zero to all of them.
    const float d = bf16_to_f32(f32_to_bf16(static_cast<float>(random.magnitude(-4, 4))));
    const double share = random.chance(0.2) ? 0.004 : random.uniform();
    std::vector<float> values(256 * kBlocks);
    for (float& x : values) x = random.chance(share) ? (random.chance(0.5) ? d : -d) : 0.0f;
    const std::vector<float> importance =
        random.chance(0.5) ? random_importance(random, values.size()) : std::vector<float>();
    const auto blocks = encode(type, values, importance, effort);
    ASSERT_EQ(decode(type, blocks, values.size()), values) << "d " << d << ", share " << share;
  }
}

/// The part of sum q x^2 that the best of all scales codes: what is as large as a threshold is
/// coded, and all thresholds there are lie between two magnitudes.
double best_gain(std::span<const float> x, std::span<const float> q) {
  std::vector<std::pair<double, double>> sorted;  // magnitude, importance
  for (std::size_t i = 0; i < x.size(); ++i) sorted.emplace_back(std::fabs(x[i]), q[i]);
  std::sort(sorted.rbegin(), sorted.rend());
  double s0 = 0;
  double s1 = 0;
  double best = 0;
  for (const auto& [magnitude, weight] : sorted) {
    s0 += weight;
    s1 += weight * magnitude;
    best = std::max(best, s1 * s1 / s0);
  }
  return best;
}

TEST_P(Ternary, ScalesAreNearTheBestOfAll) {
  const auto [type, effort] = GetParam();
  Random random("ternary scales");
  double coded = 0;
  double best = 0;
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<float> values(256);
    const double size = random.magnitude(-3, 0);
    for (float& x : values) {
      x = static_cast<float>(size * (trial % 2 ? random.heavy() : random.normal()));
    }
    const std::vector<float> importance = random_importance(random, values.size());
    const std::vector<float> y =
        decode(type, encode(type, values, importance, effort), values.size());
    double norm = 0;
    double error = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      norm += importance[i] * double{values[i]} * values[i];
      error += importance[i] * std::pow(double{values[i]} - y[i], 2);
    }
    const double most = best_gain(values, importance);
    EXPECT_LE(error, norm - 0.75 * most) << trial;
    EXPECT_GE(error, (norm - most) * (1 - 1e-6)) << "better than the best";
    coded += (norm - error) / norm;
    best += most / norm;
  }
  EXPECT_GE(coded, best * (effort == Effort::best ? 0.998 : 0.995));
}

INSTANTIATE_TEST_SUITE_P(Types, Ternary,
                         testing::Values(std::pair(TensorType::tq1_0, Effort::fast),
                                         std::pair(TensorType::tq1_0, Effort::best),
                                         std::pair(TensorType::tq2_0, Effort::fast),
                                         std::pair(TensorType::tq2_0, Effort::best)),
                         [](const auto& test) {
                           return std::string(name(test.param.first)) + "_" +
                                  std::string(name(test.param.second));
                         });

TEST(Ternary, BothTypesHoldTheSameWeights) {
  Random random("both ternary");
  std::vector<float> values(256 * 100);
  for (float& x : values) x = static_cast<float>(random.heavy());
  const std::vector<float> importance = random_importance(random, values.size());
  const auto decoded = [&](TensorType type) {
    return decode(type, encode(type, values, importance, Effort::best), values.size());
  };
  EXPECT_EQ(decoded(TensorType::tq1_0), decoded(TensorType::tq2_0));
}

constexpr std::size_t kMxfp4Block = 32;

/// A block of MXFP4 with any codes.
std::vector<std::byte> random_mxfp4(Random& random, unsigned least_exponent,
                                    unsigned most_exponent) {
  std::vector<std::byte> block(17);
  const std::size_t exponents = most_exponent - least_exponent + 1;
  block[0] = static_cast<std::byte>(least_exponent + random.below(exponents));
  const bool sparse = random.chance(0.3);
  for (std::size_t i = 1; i < block.size(); ++i) {
    block[i] = sparse && random.chance(0.9) ? std::byte{0} : static_cast<std::byte>(random.bits());
  }
  return block;
}

TEST(Mxfp4, WhatItCanHoldComesThroughExactly) {
  Random random("mxfp4");
  for (int trial = 0; trial < 20000; ++trial) {
    const std::vector<float> values =
        decode(TensorType::mxfp4, random_mxfp4(random, 0, 254), kMxfp4Block);
    // The largest exponents have values beyond binary32.
    if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) {
      continue;
    }
    const std::vector<float> importance =
        random.chance(0.5) ? random_importance(random, kMxfp4Block) : std::vector<float>();
    const auto blocks = encode(TensorType::mxfp4, values, importance, Effort::best);
    ASSERT_EQ(decode(TensorType::mxfp4, blocks, kMxfp4Block), values) << trial;
  }
}

/// The error of the nearest numbers at an exponent, from the list of what a code can be.
double mxfp4_error(std::span<const float> x, std::span<const float> q, int exponent) {
  constexpr double kNumbers[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  double error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const double number : kNumbers) {
      nearest = std::min(nearest, std::fabs(std::fabs(x[i]) - std::ldexp(number, exponent - 127)));
    }
    error += q[i] * nearest * nearest;
  }
  return error;
}

TEST(Mxfp4, TakesTheBetterOfTwoExponentsAndTheNearestNumbers) {
  Random random("mxfp4 exponents");
  std::size_t coarse = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const double size = random.magnitude(-3, 0);
    std::vector<float> values(kMxfp4Block);
    for (float& x : values) x = static_cast<float>(size * random.heavy());
    const std::vector<float> importance = random_importance(random, kMxfp4Block);
    const auto block = encode(TensorType::mxfp4, values, importance, Effort::best);
    const std::vector<float> y = decode(TensorType::mxfp4, block, kMxfp4Block);
    double coded = 0;
    double largest = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      coded += importance[i] * std::pow(double{values[i]} - y[i], 2);
      largest = std::max(largest, std::fabs(double{values[i]}));
    }
    // As the specification's conversion has it, and one more.
    const int exponent = static_cast<int>(std::floor(std::log2(largest))) - 2 + 127;
    const double fine = mxfp4_error(values, importance, exponent);
    const double twice = mxfp4_error(values, importance, exponent + 1);
    ASSERT_NEAR(coded, std::min(fine, twice), 1e-5 * coded) << trial;
    coarse += std::to_integer<int>(block[0]) == exponent + 1 ? 1 : 0;
  }
  EXPECT_GT(coarse, kTrials / 50u);
  EXPECT_LT(coarse, kTrials * 9 / 10u);
}

/// sum q (x - y)^2
double error_of(std::span<const float> x, std::span<const float> y, std::span<const float> q) {
  double error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) error += q[i] * std::pow(double{x[i]} - y[i], 2);
  return error;
}

std::vector<float> heavy_values(Random& random, std::size_t count) {
  const double size = random.magnitude(-3, 0);
  std::vector<float> values(count);
  for (float& x : values) x = static_cast<float>(size * random.heavy());
  return values;
}

/// The error of the nearest of `numbers` times the best of some scales.
template <typename Scales>
double least_error(std::span<const float> x, std::span<const float> q,
                   std::span<const double> numbers, const Scales& scales) {
  double least = std::numeric_limits<double>::infinity();
  for (const double scale : scales) {
    double error = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      double nearest = std::numeric_limits<double>::infinity();
      for (const double number : numbers)
        nearest = std::min(nearest, std::fabs(x[i] - number * scale));
      error += q[i] * nearest * nearest;
    }
    least = std::min(least, error);
  }
  return least;
}

TEST(Q1_0, HasTheSignsAndTheBestMagnitude) {
  Random random("q1_0");
  for (int trial = 0; trial < 500; ++trial) {
    const std::vector<float> values = heavy_values(random, 128);
    std::vector<float> importance(values.size());
    for (float& q : importance) q = static_cast<float>(random.magnitude(-0.3, 0.3));
    const auto y =
        decode(TensorType::q1_0, encode(TensorType::q1_0, values, importance, Effort::best),
               values.size());
    double q_sum = 0;
    double qx_sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(y[i] > 0, values[i] >= 0) << i;
      q_sum += importance[i];
      qx_sum += importance[i] * std::fabs(double{values[i]});
    }
    ASSERT_NEAR(std::fabs(y[0]), qx_sum / q_sum, qx_sum / q_sum * 0x1p-11 + 0x1p-25);
  }
}

TEST(Q2_0, WeightsOfOneMagnitudeComeThroughExactly) {
  Random random("q2_0");
  for (int trial = 0; trial < 3000; ++trial) {
    const float d = bf16_to_f32(f32_to_bf16(static_cast<float>(random.magnitude(-4, 4))));
    const double share = random.chance(0.2) ? 0.03 : random.uniform();
    std::vector<float> values(64 * 8);
    for (float& x : values) x = random.chance(share) ? (random.chance(0.5) ? d : -d) : 0.0f;
    const std::vector<float> importance =
        random.chance(0.5) ? random_importance(random, values.size()) : std::vector<float>();
    const auto blocks = encode(TensorType::q2_0, values, importance, Effort::best);
    ASSERT_EQ(decode(TensorType::q2_0, blocks, values.size()), values) << "d " << d;
  }
}

TEST(Q2_0, ScalesAreNearTheBestOfAll) {
  Random random("q2_0 scales");
  constexpr std::array<double, 4> kNumbers = {-1, 0, 1, 2};
  double coded = 0;
  double best = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const std::vector<float> values = heavy_values(random, 64);
    double squares = 0;
    double largest = 0;
    for (const float x : values) {
      squares += double{x} * x;
      largest = std::max(largest, std::fabs(double{x}));
    }
    // What is searched for weighs errors by what tile.h tells.
    std::vector<float> weights;
    for (const float x : values) {
      weights.push_back(static_cast<float>(std::sqrt(squares / 64 + double{x} * x)));
    }
    std::vector<double> scales;
    for (int i = 1; i <= 300; ++i) {
      scales.push_back(largest * i / 300);
      scales.push_back(-largest * i / 300);
    }
    const auto y = decode(TensorType::q2_0, encode(TensorType::q2_0, values, {}, Effort::best), 64);
    coded += error_of(values, y, weights) / squares;
    best += least_error(values, weights, kNumbers, scales) / squares;
  }
  EXPECT_LE(coded, best * 1.01);
  EXPECT_GE(coded, best * 0.99);
}

TEST(Nvfp4, WhatItCanHoldComesThroughExactly) {
  Random random("nvfp4");
  for (int trial = 0; trial < 5000; ++trial) {
    std::vector<std::byte> block(36);
    for (std::size_t i = 0; i < block.size(); ++i) {
      block[i] =
          i < 4 ? static_cast<std::byte>(random.below(127)) : static_cast<std::byte>(random.bits());
    }
    // Without a 4 or a 6, another scale might have to be found than that of the largest weight.
    for (std::size_t s = 0; s < 4; ++s) block[4 + 8 * s] |= std::byte{6};
    const std::vector<float> values = decode(TensorType::nvfp4, block, 64);
    const std::vector<float> importance =
        random.chance(0.5) ? random_importance(random, 64) : std::vector<float>();
    const auto blocks = encode(TensorType::nvfp4, values, importance, Effort::best);
    ASSERT_EQ(decode(TensorType::nvfp4, blocks, 64), values) << trial;
  }
}

TEST(Nvfp4, TakesTheBestOfAllScalesAndTheNearestNumbers) {
  Random random("nvfp4 scales");
  constexpr std::array<double, 15> kNumbers = {0,    0.5, 1,    1.5, 2,  3,  4, 6,
                                               -0.5, -1,  -1.5, -2,  -3, -4, -6};
  std::vector<double> scales;
  for (int code = 0; code < 127; ++code) {
    scales.push_back(code < 8 ? std::ldexp(code, -9) : std::ldexp(8 + code % 8, code / 8 - 10));
  }
  double fast = 0;
  double best = 0;
  double least = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const std::vector<float> values = heavy_values(random, 64);
    const std::vector<float> importance = random_importance(random, 64);
    const auto error = [&](Effort effort) {
      return error_of(
          values,
          decode(TensorType::nvfp4, encode(TensorType::nvfp4, values, importance, effort), 64),
          importance);
    };
    double of_all = 0;
    double norm = 0;
    for (std::size_t s = 0; s < 64; s += 16) {
      const std::span<const float> q = std::span(importance).subspan(s, 16);
      of_all += least_error(std::span(values).subspan(s, 16), q, kNumbers, scales);
    }
    for (std::size_t i = 0; i < 64; ++i) norm += importance[i] * double{values[i]} * values[i];
    ASSERT_GE(error(Effort::best), of_all * (1 - 1e-4)) << "better than the best";
    fast += error(Effort::fast) / norm;
    best += error(Effort::best) / norm;
    least += of_all / norm;
  }
  EXPECT_LE(best, least * 1.02);
  EXPECT_LE(fast, least * 1.25);
}

}  // namespace
}  // namespace sluice
