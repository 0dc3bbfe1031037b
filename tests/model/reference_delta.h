#pragma once

// Gated delta nets as plainly as can be: each head's state is a whole matrix, in double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace sluice::model_tests {

/// What the models of random_hybrids.h have.
struct ReferenceDelta {
  std::size_t key_heads = 2;
  std::size_t value_heads = 6;
  std::size_t length = 24;
  std::size_t taps = 4;
  bool tiled = false;
  std::uint32_t interval = 4;

  bool has(std::uint32_t layer) const { return (layer + 1) % interval != 0; }
};

namespace reference {

using Rows = std::vector<std::vector<double>>;

inline double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

inline std::vector<double> part(const std::vector<double>& row, std::size_t first,
                                std::size_t count) {
  return {row.begin() + static_cast<std::ptrdiff_t>(first),
          row.begin() + static_cast<std::ptrdiff_t>(first + count)};
}

inline std::vector<double> of_length_one(std::vector<double> x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  for (double& v : x) v /= std::max(std::sqrt(sum), 1e-5);
  return x;
}

/// \param weights  [channels, taps]
inline Rows convolved(const Rows& x, const std::vector<float>& weights, std::size_t taps) {
  Rows y = x;
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t c = 0; c < x[t].size(); ++c) {
      double sum = 0;
      for (std::size_t back = 0; back < std::min(taps, t + 1); ++back) {
        sum += weights[c * taps + taps - 1 - back] * x[t - back][c];
      }
      y[t][c] = sum * sigmoid(sum);
    }
  }
  return y;
}

/// What one value head gives for each token.
/// \param x      [tokens, channels]: queries, keys and values of all heads
/// \param fades  [tokens], logarithms of what the state is multiplied by
/// \param rates  [tokens]
inline Rows head_of(const ReferenceDelta& family, std::size_t head, const Rows& x,
                    const std::vector<double>& fades, const std::vector<double>& rates) {
  const std::size_t n = family.length;
  const std::size_t from =
      family.tiled ? head % family.key_heads : head * family.key_heads / family.value_heads;
  Rows state(n, std::vector<double>(n));  // of values, keys
  Rows out;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const std::vector<double> q = of_length_one(part(x[t], from * n, n));
    const std::vector<double> k = of_length_one(part(x[t], (family.key_heads + from) * n, n));
    const std::vector<double> v = part(x[t], (2 * family.key_heads + head) * n, n);
    out.emplace_back(n);
    for (std::size_t i = 0; i < n; ++i) {
      double known = 0;
      for (std::size_t j = 0; j < n; ++j) {
        state[i][j] *= std::exp(fades[t]);
        known += state[i][j] * k[j];
      }
      for (std::size_t j = 0; j < n; ++j) {
        state[i][j] += rates[t] * (v[i] - known) * k[j];
        out[t][i] += state[i][j] * q[j] / std::sqrt(static_cast<double>(n));
      }
    }
  }
  return out;
}

}  // namespace reference
}  // namespace sluice::model_tests
