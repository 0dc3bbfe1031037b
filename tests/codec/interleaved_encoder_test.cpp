// The encoders of types that store four rows together: any row of blocks of 32 columns, each as if it
// were alone, and nearly as near as any codes can be.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "codec/i_quants/codebooks.h"
#include "codec/random_rows.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

using testing_support::Random;

constexpr std::size_t kTogether = 4;
constexpr std::size_t kBlock = 32;
constexpr std::size_t kGroup = 8;

class InterleavedEncoder : public testing::TestWithParam<TensorType> {
 protected:
  static std::vector<float> weights(Random& random, std::size_t columns) {
    std::vector<float> rows(kTogether * columns);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i] = static_cast<float>((i / columns + 1) * 0.01 * random.heavy());
    }
    return rows;
  }
  static std::vector<float> importances(Random& random, std::size_t columns) {
    std::vector<float> q(columns);
    for (float& each : q) each = static_cast<float>(random.magnitude(-1, 1));
    return q;
  }

  static std::vector<float> recoded(const std::vector<float>& rows, const std::vector<float>& q,
                                    float bias_correction, Isa isa = best_isa()) {
    const Codec& codec = *find_codec(GetParam(), isa);
    std::vector<std::byte> blocks(byte_size(codec.type, rows.size(), q.size()));
    codec.encode({.values = rows.data(),
                  .rows = kTogether,
                  .row_elements = q.size(),
                  .importance = q.data(),
                  .bias_correction = bias_correction},
                 blocks.data());
    std::vector<float> decoded(rows.size());
    codec.decode(blocks.data(), decoded.data(), decoded.size());
    return decoded;
  }
};

/// What the search weighs errors by: (q + mean q / 5) sqrt(6 mean x^2 + x^2), means over the row.
std::vector<double> error_weights(const float* x, const std::vector<float>& q) {
  double squares = 0;
  double importance = 0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    squares += double{x[i]} * x[i] / static_cast<double>(q.size());
    importance += double{q[i]} / static_cast<double>(q.size());
  }
  std::vector<double> w(q.size());
  for (std::size_t i = 0; i < q.size(); ++i) {
    w[i] = (q[i] + importance / 5) * std::sqrt(6 * squares + double{x[i]} * x[i]);
  }
  return w;
}

double error_of(const float* x, const float* y, const std::vector<double>& w) {
  double error = 0;
  for (std::size_t i = 0; i < w.size(); ++i) error += w[i] * std::pow(double{x[i]} - y[i], 2);
  return error;
}

/// The least error of 8 weights at scale s and one shift, by all 2048 vectors.
double least_of_group(const float* x, const double* w, double s, double shift) {
  double least = 1e300;
  for (const auto& entry : kIq1sCodebook) {
    double error = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      error += w[j] * std::pow(x[j] - s * (entry[j] + shift), 2);
    }
    least = std::min(least, error);
  }
  return least;
}

/// The least of a row at row scale d, by all codes, shifts and multiples.
double least_of_row(TensorType type, const float* x, const std::vector<double>& w, double d) {
  const bool shared = type == TensorType::iq1_s_r4;  // 32 weights have one shift and one scale
  const std::size_t width = shared ? 32 : 16;
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); i += width) {
    double least = 1e300;
    for (int l = 0; l < (shared ? 8 : 16); ++l) {
      const double s = d * (shared ? 2 * l + 1 : l);
      double of_shift[2] = {0, 0};
      double of_either = 0;
      for (std::size_t g = i; g < i + width; g += kGroup) {
        const double up = least_of_group(x + g, &w[g], s, 0.125);
        const double down = least_of_group(x + g, &w[g], s, -0.125);
        of_shift[0] += up;
        of_shift[1] += down;
        of_either += std::min(up, down);
      }
      least = std::min(least, shared ? std::min(of_shift[0], of_shift[1]) : of_either);
    }
    sum += least;
  }
  return sum;
}

// Short rows, of which a scale fits all sub-blocks that there are: the best one is among many that are
// tried around what the encoder's codes say.
TEST_P(InterleavedEncoder, ComesNearTheLeastErrorOfAllCodes) {
  Random random("least " + std::string(name(GetParam())));
  double own = 0;
  double least = 0;
  for (const std::size_t columns : {32, 96}) {
    const std::vector<float> q = importances(random, columns);
    const std::vector<float> rows = weights(random, columns);
    const std::vector<float> decoded = recoded(rows, q, 0);
    for (std::size_t r = 0; r < kTogether; ++r) {
      const float* const x = &rows[r * columns];
      const std::vector<double> w = error_weights(x, q);
      float largest = 0;
      for (std::size_t i = 0; i < columns; ++i) largest = std::max(largest, std::abs(x[i]));
      double best = 1e300;
      for (double d = largest / 70; d < largest / 7; d *= 1.06) {
        best = std::min(best, least_of_row(GetParam(), x, w, d));
      }
      const double of_row = error_of(x, &decoded[r * columns], w);
      EXPECT_LE(of_row, 1.1 * best) << "row " << r << " of " << columns;
      own += of_row;
      least += best;
    }
  }
  EXPECT_LE(own, 1.02 * least);
}

// Rows that end within what is searched together, and rows of more of that than is kept: their errors are
// like those of others, also that of the last block.
TEST_P(InterleavedEncoder, TakesRowsOfAnyNumberOfBlocks) {
  Random random("lengths " + std::string(name(GetParam())));
  for (const std::size_t columns : {64, 224, 256, 288, 864, 4096, 4128, 9120}) {
    double error = 0;
    double norm = 0;
    double last_error = 0;
    double last_norm = 0;
    for (std::size_t times = 0; times < 1 + 4096 / columns; ++times) {
      const std::vector<float> q(columns, 1.0f);
      const std::vector<float> rows = weights(random, columns);
      const std::vector<float> decoded = recoded(rows, q, 0);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const double off = std::pow(double{rows[i]} - decoded[i], 2);
        error += off;
        norm += double{rows[i]} * rows[i];
        if (i % columns < columns - kBlock) continue;
        last_error += off;
        last_norm += double{rows[i]} * rows[i];
      }
      for (const Isa isa : supported_isas()) {
        ASSERT_EQ(recoded(rows, q, 0, isa), decoded) << columns << ", " << name(isa);
      }
    }
    const double most = GetParam() == TensorType::iq1_s_r4 ? 0.30 : 0.24;
    EXPECT_LE(error, most * norm) << columns;
    EXPECT_LE(last_error, 1.3 * most * last_norm) << columns;
  }
}

TEST_P(InterleavedEncoder, ARowIsCodedAsIfItWereAlone) {
  constexpr std::size_t kColumns = 352;
  Random random("alone " + std::string(name(GetParam())));
  const std::vector<float> q = importances(random, kColumns);
  const std::vector<float> rows = weights(random, kColumns);
  const std::vector<float> decoded = recoded(rows, q, 1);
  for (std::size_t r = 0; r < kTogether; ++r) {
    std::vector<float> others(rows.size());  // zeros
    const std::size_t place = (r + 1) % kTogether;
    std::copy_n(&rows[r * kColumns], kColumns, &others[place * kColumns]);
    const std::vector<float> alone = recoded(others, q, 1);
    EXPECT_TRUE(std::equal(&decoded[r * kColumns], &decoded[r * kColumns] + kColumns,
                           &alone[place * kColumns]))
        << "row " << r;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, InterleavedEncoder,
                         testing::Values(TensorType::iq1_s_r4, TensorType::iq1_m_r4),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace sluice
