#pragma once

// 16 groups of weights side by side, a lane each.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/trellis/cells.h"
#include "codec/weighting.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// What a super-block's means count beside a weight's own numbers: the weight of an error is
/// (q + importance) * (x^2 + square). A type has their shares of means, a super-block, in its row's
/// units, what these come to.
struct TrellisMeans {
  float square;
  float importance;
};

template <std::size_t kGroup>
struct TrellisTile {
  using Floats = simd::Floats;
  static constexpr std::size_t kWeights = 16 * kGroup;
  /// Lanes that have a scale in common.
  static constexpr std::size_t kShared = 32 / kGroup;

  Floats x[kGroup];
  Floats q[kGroup];  ///< importance
  Floats w[kGroup];  ///< weight of an error

  void load(const float* values, const float* importance, const RowRange& range,
            const TrellisMeans& means) noexcept {
    simd::transpose<kGroup>(values, x);
    if (range.important) simd::transpose<kGroup>(importance, q);
    for (std::size_t j = 0; j < kGroup; ++j) {
      q[j] = range.important ? range.importance(q[j]) : Floats(1);
      x[j] = range.values(max(min(x[j], range.largest), -range.largest));
      w[j] = (q[j] + means.importance) * (x[j] * x[j] + means.square);
    }
  }

  /// What the lanes that have a scale in common sum up to, in each of them.
  static_assert(kShared == 4 || kShared == 8);
  static Floats sum_of_block(const Floats& lanes) noexcept {
    const Floats pairs = lanes + simd::swap_at<1>(lanes);
    const Floats fours = pairs + simd::swap_at<2>(pairs);
    if constexpr (kShared == 4) return fours;
    return fours + simd::swap_at<4>(fours);
  }

  /// The scale at which integers of such a spread are likely to come nearest. Errors of the largest
  /// weights are what a scale that is too small costs: so the fourth moment.
  Floats likely_scale(float factor) const noexcept {
    Floats fourth = 0;
    Floats sum = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      const Floats root = sqrt(w[j]);
      const Floats square = x[j] * x[j];
      fourth += root * square * square;
      sum += root;
    }
    return sqrt(sqrt(sum_of_block(fourth) / max(sum_of_block(sum), 0x1p-100f))) * factor;
  }

  /// How many groups of a block have one weight that is nearly all.
  /// \param others  less than this share of it
  Floats one_sided(float others) const noexcept {
    Floats sum = 0;
    Floats most = 0;
    for (const Floats& weight : w) {
      sum += weight;
      most = max(most, weight);
    }
    return sum_of_block(select(sum - most < most * others, Floats(1), Floats(0)));
  }

  /// Sum of w x^2 of each block.
  Floats energy() const noexcept {
    Floats sum = 0;
    for (std::size_t j = 0; j < kGroup; ++j) sum += w[j] * x[j] * x[j];
    return sum_of_block(sum);
  }
};

/// Puts numbers of [-128, 127], rounded to integers, ties to even, below the bytes that there are.
SLUICE_INLINE simd::Ints append_byte(const simd::Ints& bytes, const simd::Floats& number) noexcept {
  // In a sum of this size a float's last bits count ones.
  const simd::Ints integer = simd::bits_of<simd::Ints>(number + 0x1.8p23f);
  return simd::shift_left<8>(bytes) | (integer & simd::Ints(255));
}

/// The queries of 16 groups at a scale each.
template <std::size_t kGroup>
class TrellisQueries {
 public:
  using Query = TrellisQuery<kGroup>;
  using Floats = simd::Floats;

  TrellisQueries(const TrellisTile<kGroup>& tile, const Floats& scale) noexcept
      : TrellisQueries(tile.x, tile.w, scale) {}

  /// \tparam Weight  Floats, or a float for all lanes
  /// \param w      weights of errors
  /// \param scale  of each lane
  template <typename Weight>
  TrellisQueries(const Floats (&x)[kGroup], const Weight (&w)[kGroup],
                 const Floats& scale) noexcept {
    // The most that two products are to have in 16 bits: 2 x 126 x 63, or 2 x 63 x 242.
    constexpr float kMost = 63;
    constexpr float kHalfUnit = 0.5f * trellis_bytes::kSquareUnit;
    const Floats magnitude = abs(scale);
    Floats most = 0x1p-100f;
    for (std::size_t j = 0; j < kGroup; ++j) {
      const Floats square = magnitude * w[j] * kHalfUnit;
      most = max(most, max(square, abs(x[j] * w[j])));
    }
    const Floats unit = kMost / most;
    const Floats of_linear = select(scale < 0, unit * -2.0f, unit * 2.0f);
    const Floats of_square = magnitude * -kHalfUnit * unit;
    for (std::size_t k = 0; k < Query::kWords; ++k) {
      simd::Ints linear = 0;
      simd::Ints square = 0;
      for (std::size_t j = 4; j-- > 0;) {
        const std::size_t at = 4 * k + j;
        linear = append_byte(linear, x[at] * w[at] * of_linear);
        square = append_byte(square, of_square * w[at]);
      }
      linear.store(linear_[k]);
      square.store(square_[k]);
    }
  }

  Query query(std::size_t lane) const noexcept {
    Query query;
    for (std::size_t k = 0; k < Query::kWords; ++k) {
      query.linear[k] = linear_[k][lane];
      query.square[k] = square_[k][lane];
    }
    return query;
  }

 private:
  std::int32_t linear_[Query::kWords][16];
  std::int32_t square_[Query::kWords][16];
};

}  // namespace sluice::inline SLUICE_ISA
