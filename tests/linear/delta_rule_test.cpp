// Steps of the delta rule against whole matrices in double, and instruction sets against one another.

#include "linear/delta_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "linear/random_matrix.h"

namespace sluice {
namespace {

constexpr std::size_t kDepth = 37;
constexpr std::size_t kSteps = 20;

using Row = std::vector<float>;

struct Step {
  Row query, key, values;
  float decay, rate;
};

std::vector<Step> steps(std::size_t columns) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  const auto row = [&](std::size_t n, float size) {
    Row out(n);
    for (float& number : out) number = normal(random) * size;
    return out;
  };
  std::vector<Step> all;
  for (std::size_t i = 0; i < kSteps; ++i) {
    const float size = 1 / std::sqrt(static_cast<float>(kDepth));
    all.push_back({row(kDepth, size), row(kDepth, size), row(columns, 1),
                   0.5f + 0.02f * static_cast<float>(i), 0.9f - 0.03f * static_cast<float>(i)});
  }
  return all;
}

/// What all steps give, one after the other.
Row run(std::size_t columns, Isa isa) {
  Row state(kDepth * linear::kStateColumns);
  Row given;
  for (Step step : steps(columns)) {
    step.values.push_back(7);  // lies beyond
    linear::delta_step({step.query.data(), step.key.data(), kDepth, step.decay, step.rate},
                       state.data(), step.values.data(), columns, isa);
    EXPECT_EQ(step.values.back(), 7);
    given.insert(given.end(), step.values.begin(), step.values.end() - 1);
  }
  return given;
}

std::vector<double> expected(std::size_t columns) {
  std::vector<double> state(kDepth * columns);
  std::vector<double> given;
  for (const Step& step : steps(columns)) {
    for (std::size_t c = 0; c < columns; ++c) {
      double known = 0;
      for (std::size_t i = 0; i < kDepth; ++i) {
        known += step.decay * state[i * columns + c] * step.key[i];
      }
      double sum = 0;
      for (std::size_t i = 0; i < kDepth; ++i) {
        double& at = state[i * columns + c];
        at = step.decay * at + step.key[i] * step.rate * (step.values[c] - known);
        sum += at * step.query[i];
      }
      given.push_back(sum);
    }
  }
  return given;
}

TEST(DeltaStep, IsThatOfWholeMatrices) {
  for (const std::size_t columns : {std::size_t{1}, std::size_t{11}, linear::kStateColumns}) {
    const Row got = run(columns, best_isa());
    const std::vector<double> wanted = expected(columns);
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], wanted[i], 1e-6) << i;
  }
}

TEST(DeltaStep, HasTheSameBitsOnEachInstructionSet) {
  for (const std::size_t columns : {std::size_t{5}, linear::kStateColumns}) {
    const Row portable = run(columns, Isa::portable);
    for (const Isa isa : supported_isas()) {
      EXPECT_TRUE(same_bits(run(columns, isa), portable)) << name(isa);
    }
  }
}

}  // namespace
}  // namespace sluice
