#pragma once

// IQ6_K's levels: a cubic in the code, so that a level and the borders around it are calculated by few
// instructions, where 64 levels would take many tables.

#include <array>
#include <cstddef>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// Levels of codes [0, kCount), rising and nearly antisymmetric about a middle.
struct CubicLevels {
  static constexpr std::size_t kCount = 64;
  /// Of the third power to that of zero.
  static constexpr float kFactors[4] = {0.0011972f, -0.11218f, 6.2568f, -127.0f};

  /// Evaluated with fused multiply-adds. Products and sums of these few bits are exact in double, so
  /// that rounding each to float is the fused operation.
  static constexpr std::array<float, kCount> all() noexcept {
    std::array<float, kCount> levels{};
    for (std::size_t code = 0; code < kCount; ++code) {
      const double q = static_cast<double>(code);
      float level = kFactors[0];
      for (std::size_t i = 1; i < 4; ++i) level = static_cast<float>(q * level + kFactors[i]);
      levels[code] = level;
    }
    return levels;
  }

  using Floats = simd::Part<float>;

  /// The level of a code, any of these or the next one.
  static SLUICE_INLINE Floats level(const Floats& code) noexcept {
    Floats level = kFactors[0];
    for (std::size_t i = 1; i < 4; ++i)
      level = fused_multiply_add(level, code, Floats(kFactors[i]));
    return level;
  }

  /// The two levels that a value lies between, or that are nearest to those.
  struct Around {
    Floats code;  ///< of the lower one
    Floats lower;
    Floats upper;
    simd::Mask<float, Floats::kLanes> nearer_upper;  ///< also at their border
  };
  static SLUICE_INLINE Around around(const Floats& value) noexcept {
    const Floats v = value - kMiddle;
    const Floats square = v * v;
    Floats place = kInverse[0];
    place = fused_multiply_add(place, square, Floats(kInverse[1]));
    place = fused_multiply_add(place, square, Floats(kInverse[2]));
    place = fused_multiply_add(place, v, Floats(kMiddleCode - 0.5f));
    const Floats code = round(min(max(place, 0), kCount - 2));  // of NaN: 0
    const Floats lower = level(code);
    const Floats upper = level(code + 1);
    // Their mean is the border. Sums and halves of floats of this size are as exact.
    return {code, lower, upper, value + value >= lower + upper};
  }

  /// Whether around() is right for every value.
  static constexpr bool inverse_is_near() noexcept {
    const auto levels = all();
    for (std::size_t code = 0; code + 1 < kCount; ++code) {
      const double v = (levels[code] + levels[code + 1]) * 0.5f - kMiddle;
      const double place =
          ((kInverse[0] * v * v + kInverse[1]) * v * v + kInverse[2]) * v + kMiddleCode;
      const double off = place - (static_cast<double>(code) + 0.5);
      if (off < -kOff || off > kOff) return false;
    }
    // It rises everywhere: then it is right between borders and beyond them too.
    return 9.0 * kInverse[1] * kInverse[1] < 20.0 * kInverse[0] * kInverse[2];
  }

 private:
  /// The inverse in odd powers of what a value is more than kMiddle, the fifth to the first; minimax
  /// at the borders. It is off by less than kOff codes, so that of the code below what it says and
  /// the one above one is right.
  static constexpr float kMiddle = -4.534207f;
  static constexpr float kMiddleCode = 31.233683f;
  static constexpr float kInverse[3] = {3.104111e-10f, -1.1076791e-05f, 0.3524277f};
  static constexpr double kOff = 0.15;
};
static_assert(CubicLevels::inverse_is_near());

}  // namespace sluice::inline SLUICE_ISA
