#pragma once

// A row of a trellis type: its weights in units in which they can be searched, and the scale that fits
// the codes which were found.

#include <cstddef>

#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "codec/weighting.h"
#include "codec/zero_guard.h"

namespace sluice::inline SLUICE_ISA {

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
  void load(TrellisTile<kGroup>& tile, std::size_t first,
            const TrellisMeans& means) const noexcept {
    tile.load(values_ + first, importance_ == nullptr ? nullptr : importance_ + first, range_,
              means);
  }

  /// Whether zeros would be better than what the super-block that begins at `first` decodes to.
  bool zeros_are_better(std::size_t first, const float* decoded) const noexcept {
    return worse_than_zeros(values_ + first, decoded,
                            importance_ == nullptr ? nullptr : importance_ + first, kSuperBlock);
  }

  /// Counts what a tile was encoded as.
  template <TrellisCodebook kBook>
  void add(const TrellisTile<kBook.group>& tile, const Floats& multiple,
           const TrellisIndices& found) noexcept {
    for_each_integer<kBook>(found, [&](std::size_t j, const Floats& c) noexcept {
      const Floats& x = tile.x[j];
      const Floats y = c * multiple;
      const Floats wx = tile.w[j] * x;
      xx_ += wx * x;
      xy_ += wx * y;
      yy_ += tile.w[j] * y * y;
      const simd::Doubles qy = to_doubles(tile.q[j]) * to_doubles(y);
      qxy_ += qy * to_doubles(x);
      qyy_ += qy * to_doubles(y);
    });
  }

  /// The scale to store, of which products of matrices take `runtime_factor` times as much; 0 if zeros are
  /// better.
  float fitted_scale(float bias_correction, float runtime_factor) const noexcept {
    const float xy = reduce_sum(xy_);
    const float least_squares = xy / max_of(reduce_sum(yy_), 0x1p-100f);
    const float xx = reduce_sum(xx_);
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
      sum_xy += qxy_[lane];
      sum_yy += qyy_[lane];
    }
    return scale * (2 * sum_xy - scale * sum_yy) > 0;
  }

  const float* values_;
  const float* importance_;
  std::size_t elements_;
  RowRange range_;
  // Sums for the codes at scale 1.
  Floats xx_ = 0;
  Floats xy_ = 0;
  Floats yy_ = 0;
  simd::Doubles qxy_ = 0;  ///< with the importance for weight
  simd::Doubles qyy_ = 0;
};

}  // namespace sluice::inline SLUICE_ISA
