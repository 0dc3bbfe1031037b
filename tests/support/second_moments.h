#pragma once

// Second moments of inputs, factored in double by the book, and a block of weights.

#include <cmath>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

#include "codec/feedback.h"
#include "sluice/codec.h"
#include "sluice/tensor_type.h"

namespace sluice::test {

struct SecondMoments {
  std::size_t n;
  std::vector<double> h;  ///< [n, n]

  /// Of inputs that have `n / 8` things in common, and scales of their own, spread by `spread`.
  static SecondMoments correlated(std::size_t n, double spread = 0.5) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    const std::size_t rank = n / 8;
    std::vector<double> common(rank * n);
    std::vector<double> scale(n);
    for (double& c : common) c = normal(random);
    for (double& s : scale) s = std::exp(spread * normal(random));
    std::vector<double> h(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = i == j ? static_cast<double>(rank) / 16 : 0;
        for (std::size_t k = 0; k < rank; ++k) sum += common[k * n + i] * common[k * n + j];
        h[i * n + j] = sum * scale[i] * scale[j];
      }
    }
    return {n, std::move(h)};
  }

  SecondMoments diagonal() const {
    std::vector<double> only(n * n);
    for (std::size_t i = 0; i < n; ++i) only[i * n + i] = h[i * n + i];
    return {n, std::move(only)};
  }

  /// tr(E H E^T)
  double cost(const std::vector<float>& errors) const {
    double sum = 0;
    for (std::size_t r = 0; r < errors.size(); r += n) {
      for (std::size_t i = 0; i < n; ++i) {
        double of_column = 0;
        for (std::size_t j = 0; j < n; ++j) of_column += h[i * n + j] * double{errors[r + j]};
        sum += of_column * double{errors[r + i]};
      }
    }
    return sum;
  }
};

/// H = U D U^T, columns last to first.
struct FactoredMoments : SecondMoments {
  std::vector<double> u;
  std::vector<double> d;

  explicit FactoredMoments(SecondMoments moments)
      : SecondMoments(std::move(moments)), u(n * n), d(n) {
    std::vector<double> rest = h;
    for (std::size_t k = n; k-- > 0;) {
      d[k] = rest[k * n + k];
      u[k * n + k] = 1;
      for (std::size_t i = 0; i < k; ++i) u[i * n + k] = rest[i * n + k] / d[k];
      for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < k; ++j) rest[i * n + j] -= u[i * n + k] * d[k] * u[j * n + k];
      }
    }
  }
};

inline std::vector<float> to_floats(const std::vector<double>& numbers) {
  return {numbers.begin(), numbers.end()};
}

/// 16 rows of one block, coded by a kernel.
struct FeedbackCase {
  const FeedbackKernel& kernel;
  std::size_t n = kernel.columns;
  std::vector<float> values;
  std::vector<float> u, d, h, metric;
  std::vector<float> shift = std::vector<float>(kFeedbackRows * n);
  std::vector<float> errors = std::vector<float>(kFeedbackRows * n);
  std::vector<float> whole;  ///< what a row's scale is chosen for, if not the values
  std::size_t block_bytes = row_size(kernel.type, n);
  std::vector<std::byte> blocks = std::vector<std::byte>(kFeedbackRows * block_bytes);

  FeedbackCase(const FeedbackKernel& k, const FactoredMoments& moments, std::vector<float> rows)
      : kernel(k),
        values(std::move(rows)),
        u(to_floats(moments.u)),
        d(to_floats(moments.d)),
        h(to_floats(moments.h)) {
    for (std::size_t i = 0; i < n; ++i) metric.push_back(h[i * n + i]);
  }

  void encode(Effort effort = Effort::best) {
    for (std::size_t r = 0; kernel.row_head > 0 && r < kFeedbackRows; ++r) {
      kernel.choose_row_scale({.values = (whole.empty() ? values : whole).data() + r * n,
                               .rows = 1,
                               .row_elements = n,
                               .importance = metric.data(),
                               .effort = effort},
                              blocks.data() + r * block_bytes);
    }
    kernel.encode(columns(u, effort), blocks.data(), block_bytes, {errors.data(), n});
  }
  void improve(Effort effort = Effort::best) {
    kernel.improve(columns(h, effort), blocks.data(), block_bytes, {errors.data(), n});
  }
  std::vector<float> decoded() const {
    std::vector<float> out(values.size());
    decode_rows(*find_codec(kernel.type), stored().data(), out.size(), n, out.data());
    return out;
  }
  bool finite() const {
    return rows_finite(*find_codec(kernel.type), stored().data(), values.size(), n);
  }
  /// As a file has them.
  std::vector<std::byte> stored() const {
    if (kernel.bring_together == nullptr) return blocks;
    std::vector<std::byte> groups(blocks.size());
    const std::size_t group = info(kernel.type).rows * block_bytes;
    for (std::size_t at = 0; at < blocks.size(); at += group) {
      kernel.bring_together(blocks.data() + at, block_bytes, groups.data() + at);
    }
    return groups;
  }

 private:
  FeedbackColumns columns(const std::vector<float>& unit, Effort effort) const {
    return {{values.data(), n}, {shift.data(), n}, unit.data(), n, d.data(), metric.data(), effort};
  }
};

}  // namespace sluice::test
