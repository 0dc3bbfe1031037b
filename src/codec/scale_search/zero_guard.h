#pragma once

#include <cstddef>

namespace sluice::inline SLUICE_ISA {

/// Whether decoded values are worse than zeros would be: sum q (x - y)^2 > sum q x^2, with q one
/// where `importance` is null. A search leaves that out of sight where the format is at its end:
/// where scales round to the smallest binary16 numbers or saturate. In double precision no float's
/// square overflows or vanishes.
static inline bool worse_than_zeros(const float* values, const float* decoded,
                                    const float* importance, int n) noexcept {
  double error = 0;
  double of_zeros = 0;
  for (int i = 0; i < n; ++i) {
    const double q = importance == nullptr ? 1.0 : double{importance[i]};
    const double x = values[i];
    const double difference = x - double{decoded[i]};
    error += q * (difference * difference);
    of_zeros += q * (x * x);
  }
  return error > of_zeros;
}

}  // namespace sluice::inline SLUICE_ISA
