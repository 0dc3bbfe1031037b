#pragma once

#include <algorithm>
#include <span>

#include "sluice/codec.h"

// What is asked of weights beside their encoding. Which instruction set is used shows in the speed
// only.

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

/// The sums over x and as many y with all q = 1.
/// \pre `isa`, here and below, is one of supported_isas()
ErrorSums plain_errors(std::span<const float> x, const float* y, Isa isa = best_isa()) noexcept;

/// The sums with `importance`, as many as x.
ErrorSums weighted_errors(std::span<const float> x, const float* y, const float* importance,
                          Isa isa = best_isa()) noexcept;

/// The largest magnitude; not finite if one of the values is not.
float largest_magnitude(std::span<const float> values, Isa isa = best_isa()) noexcept;

}  // namespace sluice
