// Functions against the C library's in double, instruction sets against one another, NaN, and what
// lies beyond a row.

#include "linear/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "linear/random_matrix.h"

namespace sluice {
namespace {

using Row = std::vector<float>;

/// From deep below zero to far above it, denser near zero; more than lanes, and no multiple of them.
Row arguments() {
  Row x = {0.0f, -0.0f, 0.6249f, 0.6251f, 1e-30f, -1e-30f, 150.0f, -150.0f};
  for (float size = 1e-6f; size < 80; size *= 1.07f) {
    x.push_back(size);
    x.push_back(-1.03f * size);
  }
  return x;
}

Row others(std::size_t n) {
  Row y;
  for (std::size_t i = 0; i < n; ++i) y.push_back(std::sin(static_cast<float>(i)) * 9.0f);
  return y;
}

struct Case {
  std::string name;
  std::function<void(float* x, const float* y, std::size_t n, Isa isa)> run;
  std::function<double(double x, double y)> expected;
};

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

std::vector<Case> cases() {
  using namespace linear;
  return {
      {"add", add, [](double x, double y) { return x + y; }},
      {"silu", [](float* x, const float*, std::size_t n, Isa isa) { silu(x, n, isa); },
       [](double x, double) { return x * logistic(x); }},
      {"silu_gate", silu_gate, [](double x, double y) { return x * logistic(x) * y; }},
      {"gelu_gate", gelu_gate,
       [](double x, double y) {
         const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
         return 0.5 * x * (1 + std::tanh(inner)) * y;
       }},
      {"clamped_silu_gate", clamped_silu_gate,
       [](double x, double y) {
         const double g = std::min(x, 7.0);
         return g * logistic(1.702 * g) * (std::clamp(y, -7.0, 7.0) + 1);
       }},
      {"sigmoid", [](float* x, const float*, std::size_t n, Isa isa) { sigmoid(x, n, isa); },
       [](double x, double) { return logistic(x); }},
      {"soft_cap",
       [](float* x, const float*, std::size_t n, Isa isa) { soft_cap(x, n, 30.0f, isa); },
       [](double x, double) { return 30 * std::tanh(x / 30); }},
  };
}

TEST(Functions, AreThoseOfTheCLibrary) {
  const Row x = arguments();
  const Row y = others(x.size());
  for (const Case& c : cases()) {
    Row got = x;
    c.run(got.data(), y.data(), x.size(), best_isa());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = c.expected(x[i], y[i]);
      // Gelu's 1 + tanh loses digits where it is next to nothing, as in every implementation of it.
      const double bound =
          std::max(4e-7 * std::abs(expected), 2e-7 * std::min(1.0f, std::abs(x[i])));
      ASSERT_NEAR(got[i], expected, c.name == "gelu_gate" ? bound * 9 : bound)
          << c.name << ' ' << x[i] << ' ' << y[i];
    }
  }
}

TEST(Functions, HaveTheSameBitsOnEachInstructionSetAndForEachLength) {
  const Row x = arguments();
  const Row y = others(x.size());
  for (const Case& c : cases()) {
    Row expected = x;
    c.run(expected.data(), y.data(), x.size(), Isa::portable);
    for (const Isa isa : supported_isas()) {
      Row one_by_one = x;
      for (std::size_t i = 0; i < x.size(); ++i) c.run(&one_by_one[i], &y[i], 1, isa);
      EXPECT_TRUE(same_bits(one_by_one, expected)) << c.name << ' ' << name(isa);
      Row got = x;
      c.run(got.data(), y.data(), x.size() - 1, isa);
      EXPECT_EQ(got.back(), x.back()) << c.name;
      got.back() = expected.back();
      EXPECT_TRUE(same_bits(got, expected)) << c.name << ' ' << name(isa);
    }
  }
}

TEST(Functions, LeaveNanAsItIs) {
  for (const Case& c : cases()) {
    float x = std::numeric_limits<float>::quiet_NaN();
    const float y = 1;
    c.run(&x, &y, 1, best_isa());
    EXPECT_TRUE(std::isnan(x)) << c.name;
  }
  Row x = {1, std::numeric_limits<float>::quiet_NaN(), 2};
  linear::softmax(x.data(), 3, nullptr, best_isa());
  EXPECT_TRUE(std::isnan(x[0]));
}

TEST(Softmax, IsThatOfDoubles) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{16}, std::size_t{45}}) {
    for (const float sink : {0.0f, 3.0f}) {
      const Row x = others(n);
      Row got = x;
      linear::softmax(got.data(), n, sink == 0 ? nullptr : &sink, best_isa());
      double sum = sink == 0 ? 0.0 : std::exp(double{sink});
      for (const float number : x) sum += std::exp(double{number});
      for (std::size_t i = 0; i < n; ++i) {
        // Rounding the difference to the largest number, of up to 18, loses the most.
        const double expected = std::exp(double{x[i]}) / sum;
        ASSERT_NEAR(got[i], expected, 18 * 0x1p-23 * expected);
      }
      for (const Isa isa : supported_isas()) {
        Row again = x;
        linear::softmax(again.data(), n, sink == 0 ? nullptr : &sink, isa);
        EXPECT_TRUE(same_bits(again, got)) << name(isa);
      }
    }
  }
}

TEST(RmsNorm, IsThatOfDoubles) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{32}, std::size_t{77}}) {
    const Row x = others(n);
    const Row weights = arguments();
    double squares = 0;
    for (const float number : x) squares += double{number} * number;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(n) + 0.01);
    Row expected;
    for (const Isa isa : supported_isas()) {
      Row got(n);
      linear::rms_norm(x.data(), weights.data(), n, 0.01f, got.data(), isa);
      for (std::size_t i = 0; i < n; ++i) {
        const double number = x[i] * scale * weights[i];
        ASSERT_NEAR(got[i], number, 3e-7 * std::abs(number));
      }
      if (expected.empty()) expected = got;
      EXPECT_TRUE(same_bits(got, expected)) << name(isa);
    }
  }
}

TEST(L2Norm, IsThatOfDoubles) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{32}, std::size_t{77}}) {
    for (const float epsilon : {1e-5f, 1e3f}) {  // the length is more, and less
      const Row x = others(n);
      double squares = 0;
      for (const float number : x) squares += double{number} * number;
      Row first;
      for (const Isa isa : supported_isas()) {
        Row got = x;
        linear::l2_norm(got.data(), n, epsilon, isa);
        for (std::size_t i = 0; i < n; ++i) {
          const double number = x[i] / std::max(std::sqrt(squares), double{epsilon});
          ASSERT_NEAR(got[i], number, 3e-7 * std::abs(number));
        }
        if (first.empty()) first = got;
        EXPECT_TRUE(same_bits(got, first)) << name(isa);
      }
    }
  }
}

}  // namespace
}  // namespace sluice
