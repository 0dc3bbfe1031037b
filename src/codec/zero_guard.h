#pragma once

#include <cstddef>
#include <cstring>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// Whether it takes no second look: more than half of sum q x^2 is coded, and single precision can
/// tell. False says nothing.
static inline bool clearly_better_than_zeros(const float* values, const float* decoded,
                                             const float* importance, int n) noexcept {
  using simd::Floats;
  Floats gains{};  // q (x^2 - (x - y)^2)
  Floats energies{};
  for (int i = 0; i < n; i += 16) {
    const Floats x = Floats::load(values + i);
    const Floats y = Floats::load(decoded + i);
    const Floats q = importance == nullptr ? Floats(1.0f) : Floats::load(importance + i);
    gains += q * y * (x + x - y);
    energies += q * x * x;
  }
  const float energy = reduce_sum(energies);
  return reduce_sum(gains) > 0.5f * energy && energy > 1e-30f && energy < 1e30f;
}

/// Whether decoded values are worse than zeros would be: sum q (x - y)^2 > sum q x^2, with q one
/// where `importance` is null, n a multiple of 16. A search leaves that out of sight where the
/// format is at its end: where scales round to the smallest binary16 numbers or saturate. In double
/// precision no float's square overflows or vanishes.
static inline bool worse_than_zeros(const float* values, const float* decoded,
                                    const float* importance, int n) noexcept {
  if (clearly_better_than_zeros(values, decoded, importance, n)) return false;
  constexpr int kSums = 8;   // fixed, so that the order of summation is
  double gains[kSums] = {};  // q (x^2 - (x - y)^2)
  for (int i = 0; i < n; ++i) {
    const double x = values[i];
    const double difference = x - double{decoded[i]};
    const double q = importance == nullptr ? 1.0 : double{importance[i]};
    gains[i % kSums] += (x * x - difference * difference) * q;
  }
  double sum = 0;
  for (const double gain : gains) sum += gain;
  return sum < 0;
}

}  // namespace sluice::inline SLUICE_ISA
