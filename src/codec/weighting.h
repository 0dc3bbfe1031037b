#pragma once

// What the encoders of i-quants and ternary types minimise, and the range they work in.

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/float16.h"
#include "codec/bias_correction.h"
#include "simd/lanes.h"

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
static inline float value_of_scale(float scale, int exponent) noexcept {
  return static_cast<float>(double{scale} * power_of_two(-exponent));
}
static inline float value_of_half(std::uint16_t half, int exponent) noexcept {
  return value_of_scale(f16_to_f32(half), exponent);
}

/// Division by the power of two that brings a lane's largest value into [1, 2), in two steps that
/// floats have, even where that value is denormal. Lanes of zeros stay as they are.
struct Normalizer {
  simd::Floats first;
  simd::Floats second;
  simd::Ints exponent;

  explicit Normalizer(const simd::Floats& largest_or_zero) noexcept {
    const simd::Floats largest = select(largest_or_zero > 0, largest_or_zero, 1);
    first = select(largest < 0x1p-60f, simd::Floats(0x1p64f), 1);
    const simd::Ints power = simd::bits_of<simd::Ints>(largest * first) & 0x7f800000;
    second = simd::Floats(1) / simd::bits_of<simd::Floats>(power);
    exponent =
        simd::shift_right<23>(power) - simd::shift_right<23>(simd::bits_of<simd::Ints>(first));
  }
  simd::Floats operator()(const simd::Floats& values) const noexcept {
    return values * first * second;
  }
};

/// The range of a row whose blocks share one scale.
struct RowRange {
  bool important;        ///< importance is known, and not zero everywhere
  simd::Floats largest;  ///< of the values that have importance, in all lanes; 0: nothing to code
  Normalizer values;
  Normalizer importance;
};

/// \param count  weights of a row, a multiple of 16
static inline RowRange row_range(const float* values, const float* importance,
                                 std::size_t count) noexcept {
  using simd::Floats;
  Floats most = 0;
  if (importance != nullptr) {
    for (std::size_t i = 0; i < count; i += Floats::kLanes) {
      most = max(most, Floats::load(importance + i));
    }
    most = reduce_max(most);
  }
  const bool important = most[0] > 0;
  Floats largest = 0;
  for (std::size_t i = 0; i < count; i += Floats::kLanes) {
    const Floats x = abs(Floats::load(values + i));
    largest = max(largest, important ? select(Floats::load(importance + i) > 0, x, 0) : x);
  }
  largest = reduce_max(largest);
  return {important, largest, Normalizer(largest), Normalizer(most)};
}

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
struct WeightedBlocks {
  std::array<simd::Floats, kSize> x;
  std::array<simd::Floats, kSize> q;  ///< importance; ones if there is none
  std::array<simd::Floats, kSize>
      w;                       ///< weight of a squared error; positive unless the block is zero
  simd::Ints exponent;         ///< original value = x * 2^exponent
  simd::Floats block_largest;  ///< of the original values that have importance; 0: nothing to code

  /// Takes values as they are in x. `importance` says whether q has been filled in.
  template <Share kShare>
  void prepare(bool importance) noexcept;

  /// The same without w.
  template <Share kShare>
  void normalize(bool importance) noexcept {
    normalize_importance<kShare>(importance);
    normalize_values<kShare>();
  }
  /// Its first half, for values that come one after the other.
  template <Share kShare>
  void normalize_importance(bool importance) noexcept;
  template <Share kShare>
  void normalize_values() noexcept;

  /// prepare() for a block of a row with one scale: values and importance in units of the row.
  /// w = q * sqrt(mean_share * mean(x^2) + x^2)
  template <Share kShare>
  void prepare_in(const RowRange& row, float mean_share) noexcept;

  /// Sum of w * x^2 over all lanes.
  float norm() const noexcept;

 private:
  /// The largest value of a lane that has importance.
  template <Share kShare>
  simd::Floats largest_important() const noexcept;

  /// A column of no importance may hold anything, also an outlier that would waste the scales'
  /// range: it follows the others, those of the lane or, if there are none, of all.
  void to_units(const simd::Floats& largest, const simd::Floats& of_all,
                const Normalizer& to_unit) noexcept;

  /// Makes w of x and q.
  template <bool kTogether>
  void weigh(float mean_share) noexcept;
};

/// The scale to store for codes whose least-squares scale is `least_squares`; see bias_correction.h.
/// \param xx  sum of w * x^2
/// \param xy  sum of w * x * y, y being the decoded value for scale 1
static inline float corrected_scale(float least_squares, float xx, float xy,
                                    float bias_correction) noexcept {
  const float along = least_squares * xy;
  return along > 0 ? least_squares * correct_bias(xx / along, bias_correction) : 0.0f;
}

/// The largest lane in all lanes, where they are a block together.
template <Share kShare>
static inline simd::Floats largest_of_block(const simd::Floats& largest) noexcept {
  return kShare != Share::none ? simd::Floats(reduce_max(largest)) : largest;
}

template <std::size_t kSize>
template <Share kShare>
void WeightedBlocks<kSize>::normalize_importance(bool importance) noexcept {
  if (!importance) return q.fill(1);
  simd::Floats largest = 0;
  for (const simd::Floats& row : q) largest = max(largest, row);
  largest = largest_of_block<kShare>(largest);
  const Normalizer to_unit(largest);
  for (simd::Floats& row : q) row = select(largest > 0, to_unit(row), 1);
}

template <std::size_t kSize>
template <Share kShare>
void WeightedBlocks<kSize>::normalize_values() noexcept {
  const simd::Floats largest = largest_important<kShare>();
  block_largest = largest_of_block<kShare>(largest);
  const Normalizer to_unit(block_largest);
  exponent = to_unit.exponent;
  to_units(largest, block_largest, to_unit);
}

template <std::size_t kSize>
template <Share kShare>
simd::Floats WeightedBlocks<kSize>::largest_important() const noexcept {
  simd::Floats largest = 0;
  for (std::size_t j = 0; j < kSize; ++j) {
    largest = max(largest, select(q[j] > 0, abs(x[j]), 0));
  }
  if constexpr (kShare == Share::pairs) largest = max(largest, swap_halves(largest));
  return largest;
}

template <std::size_t kSize>
void WeightedBlocks<kSize>::to_units(const simd::Floats& largest, const simd::Floats& of_all,
                                     const Normalizer& to_unit) noexcept {
  const simd::Floats bound = select(largest > 0, largest, of_all);
  for (simd::Floats& row : x) row = to_unit(max(min(row, bound), -bound));
}

template <std::size_t kSize>
template <bool kTogether>
void WeightedBlocks<kSize>::weigh(float mean_share) noexcept {
  simd::Floats sum = 0;
  for (const simd::Floats& row : x) sum += row * row;
  constexpr float kCount = kTogether ? kSize * simd::Floats::kLanes : kSize;
  const simd::Floats sigma2 =
      (kTogether ? simd::Floats(reduce_sum(sum)) : sum) * (mean_share / kCount);
  // The floor lets sub-blocks without importance still be coded as themselves.
  for (std::size_t j = 0; j < kSize; ++j) {
    w[j] = max(q[j], 0x1p-40f) * sqrt(sigma2 + x[j] * x[j]);
  }
}

template <std::size_t kSize>
template <Share kShare>
void WeightedBlocks<kSize>::prepare(bool importance) noexcept {
  normalize<kShare>(importance);
  weigh<kShare != Share::none>(2);
}

template <std::size_t kSize>
template <Share kShare>
void WeightedBlocks<kSize>::prepare_in(const RowRange& row, float mean_share) noexcept {
  if (row.important) {
    for (simd::Floats& importance : q) importance = row.importance(importance);
  } else {
    q.fill(1);
  }
  to_units(largest_important<kShare>(), row.largest, row.values);
  block_largest = row.largest;
  exponent = row.values.exponent;
  weigh<kShare != Share::none>(mean_share);
}

template <std::size_t kSize>
float WeightedBlocks<kSize>::norm() const noexcept {
  simd::Floats sum = 0;
  for (std::size_t j = 0; j < kSize; ++j) sum += w[j] * x[j] * x[j];
  return reduce_sum(sum);
}

/// By how much coding is better than zeros, as importance weighs errors, at any scale. In double
/// precision: that must not depend on the range of the values.
class GainOverZeros {
 public:
  /// `y` is what x decodes to at scale 1.
  void add(const simd::Floats& x, const simd::Floats& q, const simd::Floats& y) noexcept {
    const simd::Doubles qy = to_doubles(q) * to_doubles(y);
    xy_ += qy * to_doubles(x);
    yy_ += qy * to_doubles(y);
  }

  /// Other weights' too.
  void add(const GainOverZeros& other) noexcept {
    xy_ += other.xy_;
    yy_ += other.yy_;
  }

  /// Whether a lane is better than zeros.
  bool positive(std::size_t lane, float scale) const noexcept {
    return gain(scale, xy_[lane], yy_[lane]) > 0;
  }
  /// Whether two lanes together are.
  bool positive(std::size_t lane, std::size_t other, float scale) const noexcept {
    return gain(scale, xy_[lane] + xy_[other], yy_[lane] + yy_[other]) > 0;
  }

  /// The first of these scales with which the lanes, together a block, are better than zeros; 0 if
  /// there is none.
  std::uint16_t first_positive(const std::array<std::uint16_t, 2>& scales,
                               int exponent) const noexcept {
    for (const std::uint16_t scale : scales) {
      if (positive(value_of_half(scale, exponent))) return scale;
    }
    return 0;
  }

  /// Whether all lanes together are better than zeros.
  bool positive(float scale) const noexcept {
    const Sums sums = all();
    return gain(scale, sums.xy, sums.yy) > 0;
  }
  /// The scale with which all lanes together have the least error; 0 if none is better than zeros.
  float best_scale() const noexcept {
    const Sums sums = all();
    return sums.xy > 0 ? static_cast<float>(sums.xy / sums.yy) : 0.0f;
  }

 private:
  struct Sums {
    double xy = 0;
    double yy = 0;
  };
  Sums all() const noexcept {
    Sums sums;
    for (std::size_t lane = 0; lane < simd::Doubles::kLanes; ++lane) {
      sums.xy += xy_[lane];
      sums.yy += yy_[lane];
    }
    return sums;
  }

  /// sum q x^2 - sum q (x - scale y)^2
  static double gain(double scale, double xy, double yy) noexcept {
    return scale * (2 * xy - scale * yy);
  }

  simd::Doubles xy_ = 0;
  simd::Doubles yy_ = 0;
};

/// The same in single precision, which knows where it cannot tell.
class SureGain {
 public:
  void add(const simd::Floats& x, const simd::Floats& q, const simd::Floats& y) noexcept {
    const simd::Floats qy = q * y;
    const simd::Floats qxy = qy * x;
    xy_ += qxy;
    size_ += abs(qxy);
    yy_ += qy * y;
  }

  /// Whether all lanes together are surely better than zeros. Each of the sums is off by less than
  /// 2^-19 of its summands' sizes, unless they are next to nothing.
  bool positive(float scale) const noexcept {
    constexpr float kLeast = 0x1p-80f;
    const float size = reduce_sum(size_);
    const float yy = reduce_sum(yy_);
    if (!(size > kLeast && yy > kLeast)) return false;
    const float more = reduce_sum(xy_) * 2 - yy * scale;
    return more * scale > 0x1p-16f * (size + yy * std::fabs(scale)) * std::fabs(scale);
  }

 private:
  simd::Floats xy_ = 0;
  simd::Floats size_ = 0;
  simd::Floats yy_ = 0;
};

/// The first of these scales with which codes are better than zeros, as in GainOverZeros.
/// \param add  adds all weights to one or the other kind of gain
template <typename Add>
std::uint16_t first_better_than_zeros(const std::array<std::uint16_t, 2>& scales, int exponent,
                                      const Add& add) noexcept {
  SureGain sure;
  add(sure);
  if (sure.positive(value_of_half(scales[0], exponent))) return scales[0];
  GainOverZeros gain;
  add(gain);
  return gain.first_positive(scales, exponent);
}

}  // namespace sluice::inline SLUICE_ISA
