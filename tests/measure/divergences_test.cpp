#include "measure/divergences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/serial_team.h"

namespace sluice::measure {
namespace {

constexpr std::size_t kDivergences = 40;
constexpr std::size_t kVocabulary = 50;

std::vector<float> random_logits(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(kDivergences * kVocabulary);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

linear::ConstMatrix rows_of(const std::vector<float>& logits, std::size_t first,
                            std::size_t count) {
  return {&logits[first * kVocabulary], count, kVocabulary, kVocabulary};
}

std::vector<double> probabilities(const float* logits) {
  std::vector<double> shares;
  double sum = 0;
  for (std::size_t i = 0; i < kVocabulary; ++i) sum += shares.emplace_back(std::exp(logits[i]));
  for (double& share : shares) share /= sum;
  return shares;
}

double plain_divergence(const std::vector<float>& p, const std::vector<float>& q) {
  double sum = 0;
  for (std::size_t row = 0; row < kDivergences; ++row) {
    const std::vector<double> own = probabilities(&p[row * kVocabulary]);
    const std::vector<double> other = probabilities(&q[row * kVocabulary]);
    for (std::size_t i = 0; i < kVocabulary; ++i) sum += own[i] * std::log(own[i] / other[i]);
  }
  return sum;
}

TEST(Divergences, AreTheSameHoweverManyRowsThereAreAtATime) {
  const std::vector<float> p = random_logits(1);
  const std::vector<float> q = random_logits(2);
  const std::vector<float> r = random_logits(3);
  SerialTeam team;
  std::vector<double> whole(2);
  for (std::size_t at_a_time = kDivergences; at_a_time > 0; --at_a_time) {
    std::vector<double> sums(2);
    for (std::size_t row = 0; row < kDivergences; row += at_a_time) {
      const std::size_t count = std::min(at_a_time, kDivergences - row);
      const linear::ConstMatrix others[] = {rows_of(q, row, count), rows_of(r, row, count)};
      add_divergences(rows_of(p, row, count), others, Isa::portable, team, sums);
    }
    if (at_a_time == kDivergences) whole = sums;
    EXPECT_EQ(sums, whole) << at_a_time;
  }
  EXPECT_NEAR(whole[0], plain_divergence(p, q), 1e-4 * whole[0]);
  EXPECT_NEAR(whole[1], plain_divergence(p, r), 1e-4 * whole[1]);
}

}  // namespace
}  // namespace sluice::measure
