// What a bias correction does to a block's scale, by what it is to do to the decoded values.

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "sluice/codec.h"

namespace sluice {
namespace {

constexpr std::size_t kElements = 256;

/// So many rows as are stored together, all the same.
std::vector<float> repeated(const std::vector<float>& row, std::size_t times) {
  std::vector<float> rows;
  for (std::size_t i = 0; i < times; ++i) rows.insert(rows.end(), row.begin(), row.end());
  return rows;
}

class Correction : public testing::TestWithParam<TensorType> {
 protected:
  Correction() {
    std::mt19937 random(5);
    const auto uniform = [&] { return (static_cast<double>(random()) + 0.5) / 4294967296.0; };
    for (std::size_t i = 0; i < kElements; ++i) {
      const double u = 2 * uniform() - 1;
      x_.push_back(static_cast<float>(0.02 * u / std::sqrt(1.02 - std::fabs(u))));
      q_.push_back(static_cast<float>(std::pow(10.0, 2 * uniform() - 1)));
    }
  }

  std::vector<float> decoded(float correction) const {
    const Codec& codec = *find_codec(GetParam());
    const std::size_t rows = info(GetParam()).rows;
    const std::vector<float> x = repeated(x_, rows);
    std::vector<std::byte> block(byte_size(GetParam(), x.size(), kElements));
    codec.encode({.values = x.data(),
                  .rows = rows,
                  .row_elements = kElements,
                  .importance = q_.data(),
                  .bias_correction = correction},
                 block.data());
    std::vector<float> y(x.size());
    codec.decode(block.data(), y.data(), y.size());
    EXPECT_EQ(y, repeated({y.begin(), y.begin() + kElements}, rows));
    y.resize(kElements);
    return y;
  }

  // What all decoded values are multiplied by.
  double factor(float correction) const {
    const std::vector<float> plain = decoded(0);
    const std::vector<float> corrected = decoded(correction);
    double dot = 0;
    double norm = 0;
    for (std::size_t i = 0; i < kElements; ++i) {
      dot += double{plain[i]} * corrected[i];
      norm += double{plain[i]} * plain[i];
    }
    for (std::size_t i = 0; i < kElements; ++i) {
      EXPECT_NEAR(corrected[i], dot / norm * plain[i], 1e-3 * std::fabs(plain[i]));
    }
    return dot / norm;
  }

  std::vector<float> x_;
  std::vector<float> q_;
};

// fp16 has 11 bits.
constexpr double kRounding = 1.0 / 1024;

TEST_P(Correction, IsAlongALine) {
  const double full = factor(1);
  EXPECT_GT(full, 1.001);
  EXPECT_NEAR(factor(0.5f), 1 + 0.5 * (full - 1), kRounding);
  EXPECT_NEAR(factor(1.25f), 1 + 1.25 * (full - 1), kRounding);
}

TEST_P(Correction, OneMakesDecodedValuesUnbiased) {
  const bool ternary = name(GetParam()).starts_with("iq1_");
  double xx = 0;
  double mean_q = 0;
  for (std::size_t i = 0; i < kElements; ++i) {
    xx += double{x_[i]} * x_[i];
    mean_q += double{q_[i]} / kElements;
  }
  const double sigma2 = (ternary ? 6.0 : 2.0) * xx / kElements;
  const double share = ternary ? 0.2 * mean_q : 0;
  const auto along = [&](const std::vector<float>& y) {
    double sum = 0;
    double of_values = 0;
    for (std::size_t i = 0; i < kElements; ++i) {
      const double wx = (q_[i] + share) * std::sqrt(sigma2 + double{x_[i]} * x_[i]) * x_[i];
      sum += wx * y[i];
      of_values += wx * x_[i];
    }
    return sum / of_values;
  };
  EXPECT_NEAR(along(decoded(1)), 1, kRounding);
  EXPECT_LT(along(decoded(0)), 0.999);
}

// Not IQ6_K: its scales are so small, 1 / 15500 of the largest weight, that fp16 has fewer bits for
// them than a correction needs.
INSTANTIATE_TEST_SUITE_P(Types, Correction,
                         testing::Values(TensorType::iq1_s, TensorType::iq1_m, TensorType::iq2_xxs,
                                         TensorType::iq2_xs, TensorType::iq2_s, TensorType::iq3_xxs,
                                         TensorType::iq3_s, TensorType::iq4_xs, TensorType::iq2_k,
                                         TensorType::iq3_k, TensorType::iq4_k, TensorType::iq5_k,
                                         TensorType::q3_k, TensorType::iq1_s_r4,
                                         TensorType::iq1_m_r4),
                         [](const auto& type) { return std::string(name(type.param)); });

}  // namespace
}  // namespace sluice
