// Second moments against sums in double; the factor against the matrix that it is of.

#include "linear/moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "random_matrix.h"
#include "support/thread_team.h"

namespace sluice {
namespace {

using linear::ConstMatrix;
using linear::Factor;
using linear::Moments;
using linear::Triangle;

constexpr std::size_t kPanel = Triangle::kPanel;

/// Inputs whose neighbouring columns come together, of very different sizes.
OwnedMatrix correlated(std::size_t tokens, std::size_t n, std::uint32_t seed) {
  OwnedMatrix x = random_matrix(tokens, n, seed);
  for (std::size_t t = 0; t < tokens; ++t) {
    float* const row = x.matrix.row(t);
    for (std::size_t i = 1; i < n; ++i) row[i] = 0.9f * row[i - 1] + 0.44f * row[i];
    for (std::size_t i = 0; i < n; ++i) row[i] *= static_cast<float>(1 + i % 7);
  }
  return x;
}

Moments moments_of(const OwnedMatrix& x, Isa isa, int threads = 1) {
  ThreadTeam team(threads);
  Moments moments(x.matrix.columns);
  moments.add(x.matrix, isa, team);
  return moments;
}

Factor factor_of(const OwnedMatrix& x, float damping, Isa isa, int threads = 1) {
  ThreadTeam team(threads);
  return Factor::of(moments_of(x, isa, threads), damping, isa, team);
}

/// What is on and above the diagonal, column by column.
std::vector<float> upper(const Triangle& h) {
  std::vector<float> all;
  for (std::size_t j = 0; j < h.size(); ++j) {
    for (std::size_t i = 0; i <= j; ++i) all.push_back(h.panel(j / kPanel).row(i)[j % kPanel]);
  }
  return all;
}

/// U D U^T in double, on and above the diagonal.
std::vector<double> multiplied(const Triangle& u) {
  const std::size_t n = u.size();
  const auto at = [&](std::size_t i, std::size_t k) -> double {
    return i == k ? 1.0 : u.panel(k / kPanel).row(i)[k % kPanel];
  };
  std::vector<double> all;
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i <= j; ++i) {
      double sum = 0;
      for (std::size_t k = j; k < n; ++k) sum += at(i, k) * u.diagonal(k) * at(j, k);
      all.push_back(sum);
    }
  }
  return all;
}

TEST(Moments, AreNearTheSumsInDouble) {
  const OwnedMatrix x = correlated(150, 300, 1);
  const std::vector<float> got = upper(moments_of(x, best_isa()).sum);
  std::size_t place = 0;
  for (std::size_t j = 0; j < 300; ++j) {
    for (std::size_t i = 0; i <= j; ++i) {
      double sum = 0;
      double magnitude = 0;
      for (std::size_t t = 0; t < 150; ++t) {
        sum += double{x.matrix.row(t)[i]} * x.matrix.row(t)[j];
        magnitude += std::abs(double{x.matrix.row(t)[i]} * x.matrix.row(t)[j]);
      }
      ASSERT_NEAR(got[place++], sum, magnitude * 150 * 0x1p-24) << i << ' ' << j;
    }
  }
}

TEST(Moments, HaveTheSameBitsWhateverComesAtOnce) {
  const OwnedMatrix x = correlated(300, 520, 2);
  const std::vector<float> expected = upper(moments_of(x, Isa::portable).sum);
  for (const Isa isa : supported_isas()) {
    for (const std::size_t at_once : {std::size_t{7}, std::size_t{256}, std::size_t{300}}) {
      ThreadTeam team(2);
      Moments moments(520);
      for (std::size_t t = 0; t < 300; t += at_once) {
        moments.add({x.matrix.row(t), std::min(at_once, 300 - t), 520, x.matrix.stride}, isa, team);
      }
      EXPECT_TRUE(same_bits(upper(moments.sum), expected)) << name(isa) << ' ' << at_once;
      EXPECT_EQ(moments.tokens, 300u);
    }
  }
  // The control: one token more is seen.
  EXPECT_FALSE(same_bits(upper(moments_of(correlated(299, 520, 2), Isa::portable).sum), expected));
}

TEST(Factor, MultipliesToTheDampedMatrix) {
  for (const std::size_t n :
       {std::size_t{1}, std::size_t{31}, std::size_t{256}, std::size_t{600}}) {
    const OwnedMatrix x = correlated(2 * n + 10, n, 3);
    const Moments moments = moments_of(x, best_isa());
    const auto tokens = static_cast<double>(moments.tokens);
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += moments.sum.diagonal(i) / tokens;
    mean /= static_cast<double>(n);
    const std::vector<float> sums = upper(moments.sum);
    const Factor factor = factor_of(x, 0.02f, best_isa());
    const std::vector<double> got = multiplied(factor.u);
    std::size_t place = 0;
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = 0; i <= j; ++i, ++place) {
        const double h = sums[place] / tokens + (i == j ? 0.02 * mean : 0.0);
        const double size = std::sqrt(double{moments.sum.diagonal(i)} * moments.sum.diagonal(j));
        ASSERT_NEAR(got[place], h, 4e-6 * size / tokens) << n << ' ' << i << ' ' << j;
        if (i / kPanel != j / kPanel) continue;
        const std::size_t row = j / kPanel * kPanel * kPanel;
        ASSERT_NEAR(factor.local[row + i % kPanel * kPanel + j % kPanel], h, 1e-6 * size / tokens);
        ASSERT_EQ(factor.local[row + i % kPanel * kPanel + j % kPanel],
                  factor.local[row + j % kPanel * kPanel + i % kPanel]);
      }
    }
  }
}

TEST(Factor, HasTheSameBitsOnEachInstructionSetAndForEachTeam) {
  const OwnedMatrix x = correlated(700, 600, 4);
  const Factor expected = factor_of(x, 0.01f, Isa::portable);
  for (const Isa isa : supported_isas()) {
    for (const int threads : {1, 3}) {
      const Factor factor = factor_of(x, 0.01f, isa, threads);
      EXPECT_TRUE(same_bits(upper(factor.u), upper(expected.u))) << name(isa) << ' ' << threads;
      EXPECT_TRUE(same_bits(factor.local, expected.local)) << name(isa) << ' ' << threads;
    }
  }
}

// Columns that are always zero, that are the same twice, and fewer tokens than columns.
TEST(Factor, HasPositivePivotsWhateverTheInputs) {
  OwnedMatrix x = correlated(40, 300, 5);
  for (std::size_t t = 0; t < 40; ++t) {
    x.matrix.row(t)[3] = 0;
    x.matrix.row(t)[280] = x.matrix.row(t)[281];
  }
  for (const float damping : {0.0f, 1e-9f, 0.02f}) {
    const Factor factor = factor_of(x, damping, best_isa());
    for (std::size_t i = 0; i < 300; ++i) {
      ASSERT_GT(factor.u.diagonal(i), 0.0f) << damping << ' ' << i;
      ASSERT_TRUE(std::isfinite(factor.u.diagonal(i)));
    }
    for (const float number : upper(factor.u)) ASSERT_TRUE(std::isfinite(number)) << damping;
  }
}

TEST(Factor, IsThatOfTheIdentityWithoutTokens) {
  ThreadTeam team;
  const Factor factor = Factor::of(Moments(300), 0.02f, best_isa(), team);
  for (std::size_t j = 0; j < 300; ++j) {
    for (std::size_t i = 0; i <= j; ++i) {
      ASSERT_EQ(factor.u.panel(j / kPanel).row(i)[j % kPanel], i == j ? 1.0f : 0.0f);
    }
  }
}

/// What was wanted, and what came of it.
struct TwoInputs {
  OwnedMatrix wanted;
  OwnedMatrix had;
  OwnedMatrix lacking;
};

TwoInputs two_inputs(std::size_t n) {
  const std::size_t tokens = 2 * n + 10;
  TwoInputs x{correlated(tokens, n, 5), random_matrix(tokens, n, 6), random_matrix(tokens, n, 6)};
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t i = 0; i < n; ++i) {
      const float wanted = x.wanted.matrix.row(t)[i];
      float& had = x.had.matrix.row(t)[i];
      had = 0.8f * wanted + 0.5f * had;
      x.lacking.matrix.row(t)[i] = wanted - had;
    }
  }
  return x;
}

OwnedMatrix fitted_rows(const TwoInputs& x, const OwnedMatrix& w, Isa isa, int threads) {
  const std::size_t n = w.matrix.columns;
  ThreadTeam team(threads);
  linear::Lacks lacks(n);
  lacks.add(x.lacking.matrix, x.had.matrix, isa, team);
  OwnedMatrix fitted = random_matrix(w.matrix.rows, n, 8);
  std::vector<float> scratch(Factor::divide_scratch(w.matrix.rows));
  lacks.fit(w.matrix, factor_of(x.had, 0.1f, isa, threads), fitted.matrix, isa, scratch.data());
  return fitted;
}

// W' (H + a) = W (C + a), H of what was had, C = mean of wanted had^T, by sums in double.
TEST(Lacks, FitSolvesTheEquationsOfDampedLeastSquares) {
  for (const std::size_t n :
       {std::size_t{1}, std::size_t{31}, std::size_t{256}, std::size_t{300}, std::size_t{520}}) {
    const TwoInputs x = two_inputs(n);
    const OwnedMatrix w = random_matrix(3, n, 7);
    const OwnedMatrix fitted = fitted_rows(x, w, best_isa(), 2);
    const std::size_t tokens = x.had.matrix.rows;
    double added = 0;
    for (std::size_t t = 0; t < tokens; ++t) {
      for (std::size_t i = 0; i < n; ++i) {
        added += 0.1 * std::pow(double{x.had.matrix.row(t)[i]}, 2) / static_cast<double>(n);
      }
    }
    for (std::size_t r = 0; r < 3; ++r) {
      std::vector<double> left(n);
      std::vector<double> right(n);
      for (std::size_t t = 0; t < tokens; ++t) {
        double fit = 0;
        double wanted = 0;
        for (std::size_t i = 0; i < n; ++i) {
          fit += double{fitted.matrix.row(r)[i]} * x.had.matrix.row(t)[i];
          wanted += double{w.matrix.row(r)[i]} * x.wanted.matrix.row(t)[i];
        }
        for (std::size_t j = 0; j < n; ++j) {
          left[j] += fit * x.had.matrix.row(t)[j];
          right[j] += wanted * x.had.matrix.row(t)[j];
        }
      }
      double largest = 0;
      for (std::size_t j = 0; j < n; ++j) largest = std::max(largest, std::abs(right[j]));
      for (std::size_t j = 0; j < n; ++j) {
        ASSERT_NEAR(left[j] + added * fitted.matrix.row(r)[j],
                    right[j] + added * w.matrix.row(r)[j], 3e-5 * largest)
            << n << ' ' << r << ' ' << j;
      }
    }
  }
}

TEST(Lacks, FitHasTheSameBitsOnEachInstructionSetAndForEachTeam) {
  const TwoInputs x = two_inputs(300);
  const OwnedMatrix w = random_matrix(20, 300, 7);
  const auto numbers = [](const OwnedMatrix& rows) {
    return std::vector<float>(rows.matrix.row(0), rows.matrix.row(0) + 20 * rows.matrix.stride);
  };
  const std::vector<float> expected = numbers(fitted_rows(x, w, Isa::portable, 1));
  for (const Isa isa : supported_isas()) {
    EXPECT_TRUE(same_bits(numbers(fitted_rows(x, w, isa, 3)), expected)) << name(isa);
  }
}

}  // namespace
}  // namespace sluice
