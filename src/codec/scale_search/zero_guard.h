#pragma once

#include <cstddef>
#include <cstring>

namespace sluice::inline SLUICE_ISA {

/// Whether it takes no second look: more than half of sum q x^2 is coded, and single precision can
/// tell. False says nothing.
static inline bool clearly_better_than_zeros(const float* values, const float* decoded,
                                             const float* importance, int n) noexcept {
  constexpr int kSums = 16;
  using Floats = float __attribute__((vector_size(kSums * sizeof(float))));
  Floats gains{};  // q (x^2 - (x - y)^2)
  Floats energies{};
  for (int i = 0; i < n; i += kSums) {
    Floats x;
    Floats y;
    Floats q = Floats{} + 1.0f;
    std::memcpy(&x, values + i, sizeof x);
    std::memcpy(&y, decoded + i, sizeof y);
    if (importance != nullptr) std::memcpy(&q, importance + i, sizeof q);
    gains += q * y * (x + x - y);
    energies += q * x * x;
  }
  float sums[2][kSums];
  std::memcpy(sums[0], &gains, sizeof gains);
  std::memcpy(sums[1], &energies, sizeof energies);
  for (int half = kSums / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) {
      sums[0][i] += sums[0][i + half];
      sums[1][i] += sums[1][i + half];
    }
  }
  const float energy = sums[1][0];
  return sums[0][0] > 0.5f * energy && energy > 1e-30f && energy < 1e30f;
}

/// Whether decoded values are worse than zeros would be: sum q (x - y)^2 > sum q x^2, with q one
/// where `importance` is null, n a multiple of 16. A search leaves that out of sight where the
/// format is at its end: where scales round to the smallest binary16 numbers or saturate. In double
/// precision no float's square overflows or vanishes.
static inline bool worse_than_zeros(const float* values, const float* decoded,
                                    const float* importance, int n) noexcept {
  if (clearly_better_than_zeros(values, decoded, importance, n)) return false;
  constexpr int kSums = 8;  // fixed, so that the order of summation is
  using Floats = float __attribute__((vector_size(kSums * sizeof(float))));
  using Doubles = double __attribute__((vector_size(kSums * sizeof(double))));
  Doubles gains{};  // q (x^2 - (x - y)^2)
  for (int i = 0; i < n; i += kSums) {
    Floats floats;
    std::memcpy(&floats, values + i, sizeof floats);
    const Doubles x = __builtin_convertvector(floats, Doubles);
    std::memcpy(&floats, decoded + i, sizeof floats);
    const Doubles difference = x - __builtin_convertvector(floats, Doubles);
    Doubles gain = x * x - difference * difference;
    if (importance != nullptr) {
      std::memcpy(&floats, importance + i, sizeof floats);
      gain *= __builtin_convertvector(floats, Doubles);
    }
    gains += gain;
  }
  double sum = 0;
  for (int i = 0; i < kSums; ++i) sum += gains[i];
  return sum < 0;
}

}  // namespace sluice::inline SLUICE_ISA
