#include <array>
#include <cmath>
#include <cstddef>

#include "codec/measures.h"

namespace sluice::inline SLUICE_ISA {

/// The sums over x and as many y, with importance(i) for q: in lanes of their own, so that they run
/// on vectors and additions, of four cycles each, do not wait for one another.
template <typename Importance>
static inline ErrorSums error_sums(std::span<const float> x, const float* y,
                                   Importance importance) noexcept {
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

ErrorSums sum_plain_errors(std::span<const float> x, const float* y) noexcept {
  return error_sums(x, y, [](std::size_t) noexcept { return 1.0; });
}

ErrorSums sum_weighted_errors(std::span<const float> x, const float* y,
                              const float* importance) noexcept {
  return error_sums(x, y, [&](std::size_t i) noexcept { return double{importance[i]}; });
}

}  // namespace sluice::inline SLUICE_ISA
