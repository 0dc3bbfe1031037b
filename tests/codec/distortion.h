#pragma once

// The measures of error that tests and tables quote, in double precision.

#include <cstddef>
#include <span>

namespace sluice::testing_support {

/// sum q (x - y)^2 / sum q x^2; `importance` has one value a column, repeated for every row.
inline double weighted_error(std::span<const float> x, std::span<const float> y,
                             std::span<const float> importance) {
  double error = 0;
  double norm = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double q = importance[i % importance.size()];
    const double d = double{x[i]} - double{y[i]};
    error += q * d * d;
    norm += q * double{x[i]} * double{x[i]};
  }
  return error / norm;
}

/// The same after each 256 decoded values were multiplied by their best factor: blind to the final
/// scale that an encoder chose for reasons other than least squares.
inline double refit_error(std::span<const float> x, std::span<const float> y,
                          std::span<const float> importance) {
  constexpr std::size_t kSuperBlock = 256;
  double error = 0;
  double norm = 0;
  for (std::size_t start = 0; start < x.size(); start += kSuperBlock) {
    double xy = 0;
    double yy = 0;
    double xx = 0;
    for (std::size_t i = start; i < start + kSuperBlock; ++i) {
      const double q = importance[i % importance.size()];
      xy += q * double{x[i]} * double{y[i]};
      yy += q * double{y[i]} * double{y[i]};
      xx += q * double{x[i]} * double{x[i]};
    }
    error += yy > 0 ? xx - xy * xy / yy : xx;
    norm += xx;
  }
  return error / norm;
}

}  // namespace sluice::testing_support
