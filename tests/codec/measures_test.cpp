// Measures of weights: by their definitions, and the same bits from every instruction set.

#include "codec/measures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "codec/random_rows.h"

namespace sluice {
namespace {

using testing_support::Random;

std::vector<float> weights(Random& random, std::size_t count) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.heavy());
  return values;
}

std::array<std::uint64_t, 4> bits_of(const ErrorSums& sums) {
  return {std::bit_cast<std::uint64_t>(sums.error), std::bit_cast<std::uint64_t>(sums.norm),
          std::bit_cast<std::uint64_t>(sums.decoded_norm),
          std::bit_cast<std::uint64_t>(sums.largest)};
}

void expect_defined(const ErrorSums& sums, const std::vector<float>& x, const std::vector<float>& y,
                    const std::vector<float>& importance) {
  long double error = 0;
  long double norm = 0;
  long double decoded_norm = 0;
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double q = importance.empty() ? 1 : importance[i];
    error += q * std::pow(static_cast<long double>(x[i]) - y[i], 2);
    norm += q * x[i] * x[i];
    decoded_norm += q * y[i] * y[i];
    largest = std::max(largest, std::abs(double{x[i]} - double{y[i]}));
  }
  const auto near = [](double a, long double b) {
    return std::abs(a - static_cast<double>(b)) <= 1e-13 * static_cast<double>(b);
  };
  EXPECT_TRUE(near(sums.error, error)) << sums.error;
  EXPECT_TRUE(near(sums.norm, norm)) << sums.norm;
  EXPECT_TRUE(near(sums.decoded_norm, decoded_norm)) << sums.decoded_norm;
  EXPECT_EQ(sums.largest, largest);
}

TEST(Measures, ErrorSumsAreThoseOfTheDefinition) {
  Random random("sums");
  for (std::size_t count = 0; count < 300; ++count) {
    const std::vector<float> x = weights(random, count);
    const std::vector<float> y = weights(random, count);
    std::vector<float> importance = weights(random, count);
    for (float& q : importance) q *= q;
    const ErrorSums plain = plain_errors(x, y.data(), supported_isas().front());
    const ErrorSums weighted =
        weighted_errors(x, y.data(), importance.data(), supported_isas().front());
    expect_defined(plain, x, y, {});
    expect_defined(weighted, x, y, importance);
    for (const Isa isa : supported_isas()) {
      EXPECT_EQ(bits_of(plain_errors(x, y.data(), isa)), bits_of(plain)) << name(isa);
      EXPECT_EQ(bits_of(weighted_errors(x, y.data(), importance.data(), isa)), bits_of(weighted))
          << name(isa);
    }
  }
}

TEST(Measures, TheLargestMagnitudeIsFoundWhereverItIs) {
  const float denormal = std::numeric_limits<float>::denorm_min();
  for (const Isa isa : supported_isas()) {
    for (std::size_t count = 0; count < 150; ++count) {
      std::vector<float> values(count, -0.0f);
      EXPECT_EQ(largest_magnitude(values, isa), 0);
      for (float& value : values) {
        for (const float largest : {denormal, -3.0f, 1e38f, -INFINITY}) {
          value = largest;
          EXPECT_EQ(largest_magnitude(values, isa), std::abs(largest)) << name(isa);
        }
        for (const std::uint32_t nan : {0x7f800001u, 0xffc00000u}) {
          value = std::bit_cast<float>(nan);
          EXPECT_TRUE(std::isnan(largest_magnitude(values, isa))) << name(isa);
        }
        value = 0;
      }
    }
  }
}

}  // namespace
}  // namespace sluice
