// Rows coded with error feedback, against second moments that are factored and summed in double.

#include "feedback/feedback.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "linear/moments.h"
#include "sluice/codec.h"
#include "support/second_moments.h"
#include "support/thread_team.h"

namespace sluice::feedback {
namespace {

using test::SecondMoments;

constexpr float kDamping = 0.01f;

linear::Factor factor_of(const SecondMoments& moments, Isa isa) {
  linear::Moments sums(moments.n);
  sums.tokens = 1;
  for (std::size_t j = 0; j < moments.n; ++j) {
    constexpr std::size_t kPanel = linear::Triangle::kPanel;
    const linear::Matrix panel = sums.sum.panel(j / kPanel);
    for (std::size_t i = 0; i < panel.rows; ++i) {
      panel.row(i)[j % kPanel] = static_cast<float>(moments.h[i * moments.n + j]);
    }
  }
  ThreadTeam team;
  return linear::Factor::of(std::move(sums), kDamping, isa, team);
}

SecondMoments damped(SecondMoments moments) {
  double mean = 0;
  for (std::size_t i = 0; i < moments.n; ++i) {
    mean += moments.h[i * moments.n + i] / static_cast<double>(moments.n);
  }
  for (std::size_t i = 0; i < moments.n; ++i) moments.h[i * moments.n + i] += kDamping * mean;
  return {moments.n, std::move(moments.h)};
}

/// Rows of two blocks of 256; as many as types want that store four together.
struct Case {
  std::size_t n = 512;
  std::size_t rows = 20;
  SecondMoments moments = SecondMoments::correlated(n);
  SecondMoments truth = damped(moments);
  std::vector<float> values;
  std::vector<std::byte> blocks;

  explicit Case(std::size_t count = 20) : rows(count) {
    std::mt19937 random(11);
    std::normal_distribution<float> normal(0, 0.02f);
    for (std::size_t i = 0; i < rows * n; ++i) values.push_back(normal(random));
  }

  Errors encode(const Settings& settings) {
    const linear::Factor factor = factor_of(moments, settings.isa);
    const std::size_t row_bytes = row_size(settings.type, n);
    blocks.assign(rows * row_bytes, std::byte{});
    // What was in the scratch must not matter.
    std::vector<float> scratch(scratch_bytes(n) / sizeof(float), std::nanf(""));
    Errors all;
    for (std::size_t r = 0; r < rows; r += kRowsAtOnce) {
      const std::size_t count = std::min(kRowsAtOnce, rows - r);
      const Errors some =
          encode_rows({values.data() + r * n, count, n, n}, factor, settings,
                      reinterpret_cast<std::byte*>(scratch.data()), blocks.data() + r * row_bytes);
      all.error += some.error;
      all.norm += some.norm;
    }
    return all;
  }

  std::vector<float> decoded(TensorType type) const {
    std::vector<float> out(values.size());
    decode_rows(*find_codec(type), blocks.data(), out.size(), n, out.data());
    return out;
  }

  /// tr(E H E^T)
  double error(TensorType type) const {
    std::vector<float> errors = decoded(type);
    for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = values[i] - errors[i];
    return truth.cost(errors);
  }
};

/// Of types with a scale for each super-block, with one for each row, and with rows stored together.
class FeedbackRows : public testing::TestWithParam<TensorType> {
 protected:
  const TensorType type_ = GetParam();
};

TEST_P(FeedbackRows, CostLessWithEachStep) {
  Case rows;
  rows.blocks.resize(rows.rows * row_size(type_, rows.n));
  std::vector<float> diagonal;
  for (std::size_t i = 0; i < rows.n; ++i) {
    diagonal.push_back(static_cast<float>(rows.truth.h[i * rows.n + i]));
  }
  find_codec(type_)->encode({.values = rows.values.data(),
                             .rows = rows.rows,
                             .row_elements = rows.n,
                             .importance = diagonal.data(),
                             .bias_correction = 0},
                            rows.blocks.data());
  double before = rows.error(type_) * 0.7;
  for (const int sweeps : {0, 1, 2}) {
    rows.encode({.type = type_, .sweeps = sweeps, .bias_correction = 0, .isa = best_isa()});
    const double now = rows.error(type_);
    EXPECT_LT(now, before * (sweeps == 0 ? 1 : 0.99)) << sweeps;
    before = now;
  }
}

TEST_P(FeedbackRows, ErrorsAreThoseOfTheBlocks) {
  for (const float bias_correction : {0.0f, 1.0f, 1.5f}) {
    Case rows;
    const Errors errors = rows.encode(
        {.type = type_, .sweeps = 1, .bias_correction = bias_correction, .isa = best_isa()});
    EXPECT_NEAR(errors.error / rows.error(type_), 1, 2e-3) << bias_correction;
    EXPECT_NEAR(errors.norm / rows.truth.cost(rows.values), 1, 1e-3);
  }
}

TEST_P(FeedbackRows, ShrinkageIsTakenBackRowByRow) {
  // w H q^T of each row, over w H w^T
  const auto along = [this](float bias_correction) {
    Case rows;
    rows.encode(
        {.type = type_, .sweeps = 1, .bias_correction = bias_correction, .isa = best_isa()});
    const std::vector<float> decoded = rows.decoded(type_);
    std::vector<double> shares;
    for (std::size_t r = 0; r < rows.rows; ++r) {
      double ww = 0;
      double wq = 0;
      for (std::size_t i = 0; i < rows.n; ++i) {
        double column = 0;
        for (std::size_t j = 0; j < rows.n; ++j) {
          column += rows.truth.h[i * rows.n + j] * double{rows.values[r * rows.n + j]};
        }
        ww += column * double{rows.values[r * rows.n + i]};
        wq += column * double{decoded[r * rows.n + i]};
      }
      shares.push_back(wq / ww);
    }
    return shares;
  };
  const std::vector<double> before = along(0);
  const std::vector<double> after = along(1);
  const std::vector<double> half_way = along(0.5f);
  EXPECT_LT(std::accumulate(before.begin(), before.end(), 0.0),
            0.998 * static_cast<double>(before.size()));
  for (std::size_t r = 0; r < before.size(); ++r) {
    EXPECT_NEAR(after[r], std::sqrt(1 / before[r]), 1e-3) << r;
    EXPECT_NEAR(half_way[r], (before[r] + after[r]) / 2, 1e-3) << r;
  }
}

TEST_P(FeedbackRows, EveryInstructionSetGivesTheSameBytes) {
  Case best;
  best.encode({.type = type_, .sweeps = 1, .isa = best_isa()});
  for (const Isa isa : supported_isas()) {
    Case other;
    other.encode({.type = type_, .sweeps = 1, .isa = isa});
    EXPECT_EQ(other.blocks, best.blocks) << name(isa);
  }
}

TEST_P(FeedbackRows, BytesDoNotDependOnHowManyComeAtOnce) {
  Case many(kRowsAtOnce + 4);
  Case few(4);
  const Settings settings = {.type = type_, .sweeps = 1, .isa = best_isa()};
  many.encode(settings);
  few.encode(settings);
  EXPECT_TRUE(std::equal(few.blocks.begin(), few.blocks.end(), many.blocks.begin()));
}

TEST_P(FeedbackRows, ZerosStayZerosAndHostileRowsFinite) {
  Case rows(4);
  const std::size_t n = rows.n;
  std::fill_n(rows.values.begin(), n, 0.0f);
  for (std::size_t i = 0; i < n; ++i) {
    rows.values[n + i] *= 1e38f;
    rows.values[2 * n + i] *= 1e-42f;
    if (i % 7 != 0) rows.values[3 * n + i] = 0;
  }
  rows.encode({.type = type_, .sweeps = 2, .isa = best_isa()});
  const std::vector<float> decoded = rows.decoded(type_);
  for (const float q : decoded) ASSERT_TRUE(std::isfinite(q));
  EXPECT_TRUE(std::all_of(decoded.begin(), decoded.begin() + static_cast<std::ptrdiff_t>(n),
                          [](float q) { return q == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Types, FeedbackRows,
                         testing::Values(TensorType::iq1_m, TensorType::iq2_ks,
                                         TensorType::iq1_s_r4, TensorType::iq1_m_r4),
                         [](const testing::TestParamInfo<TensorType>& type) {
                           return std::string(name(type.param));
                         });

}  // namespace
}  // namespace sluice::feedback
