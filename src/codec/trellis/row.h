#pragma once

// A row of a trellis type: its weights in units in which they can be searched, and the scale that fits
// the codes which were found.

#include <cstddef>

#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "codec/weighting.h"
#include "codec/zero_guard.h"

namespace sluice::inline SLUICE_ISA {

/// Sums over weights x of a row and the numbers y that they are encoded as, but for the row's scale.
struct TrellisSums {
  using Floats = simd::Floats;

  // With the weights of errors.
  Floats xx = 0;
  Floats xy = 0;
  Floats yy = 0;
  // With the importance.
  simd::Doubles qxy = 0;
  simd::Doubles qyy = 0;
  // Not weighted.
  Floats plain_xx = 0;
  Floats plain_xy = 0;
  Floats plain_yy = 0;

  /// \param multiple  of the row's scale, of lanes
  template <TrellisCodebook kBook>
  void add(const TrellisTile<kBook.group>& tile, const Floats& multiple,
           const TrellisIndices& found) noexcept {
    for_each_integer<kBook>(found, [&](std::size_t j, const Floats& c) noexcept {
      const Floats& x = tile.x[j];
      const Floats y = c * multiple;
      plain_xx += x * x;
      plain_xy += x * y;
      plain_yy += y * y;
      const Floats wx = tile.w[j] * x;
      xx += wx * x;
      xy += wx * y;
      yy += tile.w[j] * y * y;
      const simd::Doubles qy = to_doubles(tile.q[j]) * to_doubles(y);
      qxy += qy * to_doubles(x);
      qyy += qy * to_doubles(y);
    });
  }
  void operator+=(const TrellisSums& other) noexcept {
    xx += other.xx;
    xy += other.xy;
    yy += other.yy;
    qxy += other.qxy;
    qyy += other.qyy;
    plain_xx += other.plain_xx;
    plain_xy += other.plain_xy;
    plain_yy += other.plain_yy;
  }
  /// The sum of (x - scale y)^2 as a share of that of x^2.
  float plain_error(float scale) const noexcept {
    const float gain = scale * (2.0f * reduce_sum(plain_xy) - scale * reduce_sum(plain_yy));
    const float energy = reduce_sum(plain_xx);
    return energy > 0 ? 1 - gain / energy : 1;
  }
};

class TrellisRow {
 public:
  using Floats = simd::Floats;
  static constexpr std::size_t kSuperBlock = 256;

  /// \param importance  of the columns, or null
  TrellisRow(const float* values, const float* importance, std::size_t elements) noexcept
      : values_(values),
        importance_(importance),
        elements_(elements),
        range_(row_range(values, importance, elements)) {}

  std::size_t elements() const noexcept { return elements_; }
  const float* values() const noexcept { return values_; }
  bool empty() const noexcept { return !(range_.largest[0] > 0); }

  /// Of the super-block that begins at `first`. Never zero, so that of weights that are all next to
  /// nothing the smallest codes are the best.
  /// \param shares  what means are multiplied by
  TrellisMeans means(std::size_t first, const TrellisMeans& shares) const noexcept {
    Floats squares = 0;
    Floats importance = range_.important ? 0.0f : 16.0f;
    for (std::size_t i = first; i < first + kSuperBlock; i += Floats::kLanes) {
      const Floats x =
          range_.values(max(min(Floats::load(values_ + i), range_.largest), -range_.largest));
      squares += x * x;
      if (range_.important) importance += range_.importance(Floats::load(importance_ + i));
    }
    return {shares.square * (reduce_sum(squares) / kSuperBlock + 0x1p-80f),
            shares.importance * (reduce_sum(importance) / kSuperBlock + 0x1p-40f)};
  }
  template <std::size_t kGroup>
  TrellisTile<kGroup> tile(std::size_t first, const TrellisMeans& means) const noexcept {
    TrellisTile<kGroup> tile;
    tile.load(values_ + first, importance_ == nullptr ? nullptr : importance_ + first, range_,
              means);
    return tile;
  }

  /// Whether zeros would be better than what the super-block that begins at `first` decodes to.
  bool zeros_are_better(std::size_t first, const float* decoded) const noexcept {
    return worse_than_zeros(values_ + first, decoded,
                            importance_ == nullptr ? nullptr : importance_ + first, kSuperBlock);
  }

  /// Counts what a part of the row was encoded as.
  void add(const TrellisSums& sums) noexcept { sums_ += sums; }

  /// The scale to store, of which products of matrices take `runtime_factor` times as much; 0 if zeros are
  /// better.
  float fitted_scale(float bias_correction, float runtime_factor) const noexcept {
    const float xy = reduce_sum(sums_.xy);
    const float least_squares = xy / max_of(reduce_sum(sums_.yy), 0x1p-100f);
    const float xx = reduce_sum(sums_.xx);
    const float most = kMostUnbiased * least_squares * xy;
    const float corrected =
        corrected_scale(least_squares, xx < most ? xx : most, xy, kCorrection * bias_correction);
    for (const float scale : {corrected, least_squares}) {
      // Readers multiply by the scale of the sub-block before they do by the integers.
      constexpr double kMost = 0x1p113;
      const int exponent = range_.values.exponent[0];
      const double wanted = double{scale} / runtime_factor * power_of_two(exponent);
      const auto stored = static_cast<float>(wanted < kMost ? wanted : kMost);
      // The smallest floats are few: what is stored may be far from what is wanted.
      if (better_than_zeros(double{stored} * power_of_two(-exponent))) return stored;
    }
    return 0;
  }

 private:
  /// The errors' weight prefers large values, which shrink less than others: a row's scale has to be
  /// corrected by more than it says. Tried on models (bench/notes/trellis.md), where an unbiased scale
  /// is 1.1 times that of least squares; what is far from that is noise to such a code.
  static constexpr float kCorrection = 1.4f;
  static constexpr float kMostUnbiased = 1.2f;

  static float max_of(float a, float b) noexcept { return a > b ? a : b; }

  /// As the importance weighs errors.
  bool better_than_zeros(double scale) const noexcept {
    double sum_xy = 0;
    double sum_yy = 0;
    for (std::size_t lane = 0; lane < simd::Doubles::kLanes; ++lane) {
      sum_xy += sums_.qxy[lane];
      sum_yy += sums_.qyy[lane];
    }
    return scale * (2 * sum_xy - scale * sum_yy) > 0;
  }

  const float* values_;
  const float* importance_;
  std::size_t elements_;
  RowRange range_;
  TrellisSums sums_;
};

}  // namespace sluice::inline SLUICE_ISA
