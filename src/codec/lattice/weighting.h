#pragma once

// What the encoders of this room minimise, and the range they work in.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/float16.h"
#include "codec/bias_correction.h"
#include "codec/lattice/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// 2^exponent, for exponents that a normal double has.
static inline double power_of_two(int exponent) noexcept {
  return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}

/// The fp16 scale nearest to `scale` times 2^exponent, never 0 and never infinite, so that the
/// search goes on at what the block will hold. The scale's sign is kept.
static inline std::uint16_t round_scale(float scale, int exponent) noexcept {
  const double original = double{scale} * power_of_two(exponent);
  const double finite = original < -65504 ? -65504 : original > 65504 ? 65504 : original;
  const std::uint16_t half = f32_to_f16(static_cast<float>(finite));
  return half & 0x7fffu ? half : static_cast<std::uint16_t>(half | 1u);
}

/// What a stored scale means for values that were divided by 2^exponent.
static inline float stored_scale(std::uint16_t half, int exponent) noexcept {
  return static_cast<float>(double{f16_to_f32(half)} * power_of_two(-exponent));
}

/// Division by the power of two that brings a lane's largest value into [1, 2), in two steps that
/// floats have, even where that value is denormal. Lanes of zeros stay as they are.
struct Normalizer {
  Lanes first = 1;
  Lanes second = 1;
  std::array<std::int32_t, kLanes> exponent;

  explicit Normalizer(const Lanes& largest_or_zero) noexcept {
    const Lanes largest = select(largest_or_zero > 0, largest_or_zero, 1);
    first = select(largest < 0x1p-60f, 0x1p64f, 1);
    const Lanes normal = largest * first;
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const IntRegister power = reinterpret_cast<IntRegister>(normal.part[r]) & 0x7f800000;
      const IntRegister lifted = first.part[r] > 1.0f;
      second.part[r] = 1.0f / reinterpret_cast<FloatRegister>(power);
      const IntRegister e = (power >> 23) - 127 - (lifted & 64);
      std::memcpy(&exponent[r * kRegisterLanes], &e, sizeof(e));
    }
  }
  Lanes operator()(const Lanes& values) const noexcept { return values * first * second; }
};

/// How the lanes belong together.
enum class Share {
  none,   ///< each lane is a block of its own
  block,  ///< the lanes are one block, with one scale on disk
  pairs,  ///< they are one block, and lanes 8 apart are one of its sub-blocks
};

/// `kSize` weights a lane, ready for a search.
///
/// Values are scaled by a power of two that brings the block's largest into [1, 2), so that squares
/// neither overflow nor vanish whatever the input's range. Importance likewise. The error weight is
/// w = q * sqrt(2 * mean(x^2) + x^2), as ik_llama.cpp has it. Plain q would give 1 to 5 % less of
/// the error that q weighs; these weights gave a model less divergence when tried with IQ1_M.
template <std::size_t kSize>
struct WeightedLanes {
  std::array<Lanes, kSize> x;
  std::array<Lanes, kSize> q;  ///< importance; ones if there is none
  std::array<Lanes, kSize> w;  ///< weight of a squared error; positive unless the block is zero
  std::array<std::int32_t, kLanes> exponent;  ///< original value = x * 2^exponent
  Lanes block_largest;  ///< of the original values that have importance; 0: nothing to code

  /// Takes values as they are in x. `importance` says whether q has been filled in.
  template <Share kShare>
  void prepare(bool importance) noexcept;

  /// The same without w.
  template <Share kShare>
  void normalize(bool importance) noexcept;

  /// Sum of w * x^2 over all lanes.
  float norm() const noexcept;
};

/// The scale to store for codes whose least-squares scale is `least_squares`; see bias_correction.h.
/// \param xx  sum of w * x^2
/// \param xy  sum of w * x * y, y being the decoded value for scale 1
static inline float corrected_scale(float least_squares, float xx, float xy,
                                    float bias_correction) noexcept {
  const float along = least_squares * xy;
  return along > 0 ? least_squares * correct_bias(xx / along, bias_correction) : 0.0f;
}

template <std::size_t kSize>
template <Share kShare>
void WeightedLanes<kSize>::normalize(bool importance) noexcept {
  constexpr bool kTogether = kShare != Share::none;
  const auto of_block = [](const Lanes& largest) noexcept -> Lanes {
    return kTogether ? Lanes(largest_of_lanes(largest)) : largest;
  };
  if (importance) {
    Lanes largest = 0;
    for (const Lanes& row : q) largest = greater(largest, row);
    largest = of_block(largest);
    const Normalizer to_unit(largest);
    for (Lanes& row : q) row = select(largest > 0, to_unit(row), 1);
  } else {
    q.fill(1);
  }

  // A column of no importance may hold anything, also an outlier that would waste the scales'
  // range: it follows the others.
  Lanes largest = 0;
  for (std::size_t j = 0; j < kSize; ++j) {
    largest = greater(largest, select(q[j] > 0, magnitude(x[j]), 0));
  }
  if constexpr (kShare == Share::pairs) largest = greater(largest, swap_halves(largest));
  block_largest = of_block(largest);
  const Lanes bound = select(largest > 0, largest, block_largest);
  const Normalizer to_unit(block_largest);
  exponent = to_unit.exponent;
  for (Lanes& row : x) row = to_unit(greater(lesser(row, bound), Lanes(0) - bound));
}

template <std::size_t kSize>
template <Share kShare>
void WeightedLanes<kSize>::prepare(bool importance) noexcept {
  normalize<kShare>(importance);
  constexpr bool kTogether = kShare != Share::none;
  Lanes sum = 0;
  for (const Lanes& row : x) sum = sum + row * row;
  constexpr float kCount = kTogether ? kSize * kLanes : kSize;
  const Lanes sigma2 = (kTogether ? Lanes(sum_of_lanes(sum)) : sum) * (2 / kCount);
  // The floor lets sub-blocks without importance still be coded as themselves.
  for (std::size_t j = 0; j < kSize; ++j) {
    w[j] = greater(q[j], 0x1p-40f) * square_root(sigma2 + x[j] * x[j]);
  }
}

template <std::size_t kSize>
float WeightedLanes<kSize>::norm() const noexcept {
  Lanes sum = 0;
  for (std::size_t j = 0; j < kSize; ++j) sum = sum + w[j] * x[j] * x[j];
  return sum_of_lanes(sum);
}

/// By how much coding is better than zeros, as importance weighs errors, at any scale. In double
/// precision: that must not depend on the range of the values.
class GainOverZeros {
 public:
  /// `y` is what x decodes to at scale 1.
  void add(const Lanes& x, const Lanes& q, const Lanes& y) noexcept {
    for (std::size_t half = 0; half < kHalves; ++half) {
      Doubles x_of;
      Doubles q_of;
      Doubles y_of;
      widen(x, half, x_of);
      widen(q, half, q_of);
      widen(y, half, y_of);
      xy_[half] += q_of * y_of * x_of;
      yy_[half] += q_of * y_of * y_of;
    }
  }

  /// Whether a lane is better than zeros.
  bool positive(std::size_t lane, float scale) const noexcept {
    constexpr std::size_t kInHalf = kLanes / kHalves;
    return positive(scale, xy_[lane / kInHalf][lane % kInHalf],
                    yy_[lane / kInHalf][lane % kInHalf]);
  }

  /// The first of these scales with which the lanes, together a block, are better than zeros; 0 if
  /// there is none.
  std::uint16_t first_positive(const std::array<std::uint16_t, 2>& scales,
                               int exponent) const noexcept {
    double xy = 0;
    double yy = 0;
    for (std::size_t half = 0; half < kHalves; ++half) {
      for (std::size_t lane = 0; lane < kLanes / kHalves; ++lane) {
        xy += xy_[half][lane];
        yy += yy_[half][lane];
      }
    }
    for (const std::uint16_t scale : scales) {
      if (positive(stored_scale(scale, exponent), xy, yy)) return scale;
    }
    return 0;
  }

 private:
  static constexpr std::size_t kHalves = 2;
  using Doubles = double __attribute__((vector_size(kLanes / kHalves * sizeof(double))));

  static void widen(const Lanes& lanes, std::size_t half, Doubles& doubles) noexcept {
    float __attribute__((vector_size(sizeof(Lanes) / kHalves))) floats;
    std::memcpy(&floats, reinterpret_cast<const char*>(&lanes) + half * sizeof(floats),
                sizeof(floats));
    doubles = __builtin_convertvector(floats, Doubles);
  }
  /// sum q x^2 - sum q (x - scale y)^2
  static bool positive(double scale, double xy, double yy) noexcept {
    return scale * (2 * xy - scale * yy) > 0;
  }

  std::array<Doubles, kHalves> xy_{};
  std::array<Doubles, kHalves> yy_{};
};

}  // namespace sluice::inline SLUICE_ISA
