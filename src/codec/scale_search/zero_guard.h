#pragma once

#include <cstddef>
#include <cstring>

namespace sluice::inline SLUICE_ISA {

/// Whether decoded values are worse than zeros would be: sum q (x - y)^2 > sum q x^2, with q one
/// where `importance` is null, n a multiple of 8. A search leaves that out of sight where the
/// format is at its end: where scales round to the smallest binary16 numbers or saturate. In double
/// precision no float's square overflows or vanishes.
static inline bool worse_than_zeros(const float* values, const float* decoded,
                                    const float* importance, int n) noexcept {
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
