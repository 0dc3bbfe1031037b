#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace sluice {

/// How far weights y are from the weights x that they stand for, with importances q: sums from
/// which errors are computed, in double precision.
struct ErrorSums {
  double error = 0;         ///< sum q (x - y)^2
  double norm = 0;          ///< sum q x^2
  double decoded_norm = 0;  ///< sum q y^2
  double largest = 0;       ///< the largest |x - y|

  /// 0 if all x are zero.
  double relative() const { return norm > 0 ? error / norm : 0.0; }

  ErrorSums& operator+=(const ErrorSums& other) {
    error += other.error;
    norm += other.norm;
    decoded_norm += other.decoded_norm;
    largest = std::max(largest, other.largest);
    return *this;
  }
};

/// The sums over x and as many y, with importance(i) for q: in lanes of their own, so that they run
/// on vectors and additions, of four cycles each, do not wait for one another. Inline, so that sums
/// nobody looks at are not formed.
template <typename Importance>
inline ErrorSums error_sums(std::span<const float> x, const float* y, Importance importance) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> error{};
  std::array<double, kLanes> norm{};
  std::array<double, kLanes> decoded_norm{};
  std::array<double, kLanes> largest{};
  const auto add = [&](std::size_t i, std::size_t lane) {
    const double a = x[i];
    const double b = y[i];
    const double difference = a - b;
    const double q = importance(i);
    error[lane] += q * difference * difference;
    norm[lane] += q * a * a;
    decoded_norm[lane] += q * b * b;
    const double magnitude = std::abs(difference);
    largest[lane] = magnitude > largest[lane] ? magnitude : largest[lane];
  };
  std::size_t i = 0;
  for (; i + kLanes <= x.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
  }
  for (; i < x.size(); ++i) add(i, 0);
  ErrorSums sums;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sums += {error[lane], norm[lane], decoded_norm[lane], largest[lane]};
  }
  return sums;
}

/// The sums with all q = 1.
inline ErrorSums plain_errors(std::span<const float> x, const float* y) {
  return error_sums(x, y, [](std::size_t) { return 1.0; });
}

/// The sums with `importance`, as many as x.
inline ErrorSums weighted_errors(std::span<const float> x, const float* y,
                                 const float* importance) {
  return error_sums(x, y, [&](std::size_t i) { return double{importance[i]}; });
}

}  // namespace sluice
