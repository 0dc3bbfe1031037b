#pragma once

// The values and weights of several sub-blocks, one sub-block a column, ready for a search over
// lanes.

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstddef>

#include "codec/scale_search/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// The largest magnitude of `n` values.
static inline float largest_magnitude(const float* values, std::size_t n) noexcept {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

/// 1 / value, but finite for zero and for the smallest denormals. Scaling by it brings values into
/// [-1, 1] (or, if all are denormal, near zero), where squares and sums neither overflow nor
/// vanish.
static inline float safe_reciprocal(float value) noexcept {
  return 1.0f / std::max(value, FLT_MIN);
}

/// What the errors of `n` weights count in a search: importance * sqrt(mean x^2 + x^2), up to a
/// common factor, with an importance of one where none is known. Large weights matter more than
/// their importance says, since it is an average over inputs; in real models this gives less
/// divergence than the importance alone (the method is that of ik_llama.cpp's pull request 327).
static inline void search_weights(const float* values, const float* importance, int n,
                                  float* weights) noexcept {
  const float unit = safe_reciprocal(largest_magnitude(values, static_cast<std::size_t>(n)));
  float squares = 0;
  for (int i = 0; i < n; ++i) {
    const float x = values[i] * unit;
    weights[i] = x * x;
    squares += weights[i];
  }
  const float mean = squares / static_cast<float>(n);
  for (int i = 0; i < n; ++i) {
    const float q = importance == nullptr ? 1.0f : importance[i];
    weights[i] = q * (0.5f * std::sqrt(mean + weights[i]));  // halved, to stay finite
  }
}

/// `Columns` sub-blocks of `N` weights. Each column's weights are scaled so that the largest is
/// one: importances of any magnitude then give the same search. What is divided out is
/// `column_weight`, which matters only where columns share something (the scale of a super-block).
template <int N, int Columns>
struct Tile {
  alignas(64) float x[N][Columns];
  alignas(64) float w[N][Columns];
  alignas(64) float column_weight[Columns];

  /// Puts values * value_scale and weights into a column.
  void set(int column, const float* values, float value_scale, const float* weights) noexcept {
    const float largest = largest_magnitude(weights, N);
    column_weight[column] = largest;
    const float weight_scale = safe_reciprocal(largest);
    for (int i = 0; i < N; ++i) {
      x[i][column] = values[i] * value_scale;
      // Weights that are all zero ask for nothing: take the plain error then.
      w[i][column] = largest == 0 ? 1.0f : weights[i] * weight_scale;
    }
  }

  /// A column that nobody reads.
  void clear(int column) noexcept {
    column_weight[column] = 0;
    for (int i = 0; i < N; ++i) x[i][column] = w[i][column] = 0;
  }
};

/// kLanes<V> neighbouring columns of a tile.
template <class V, int N, int Columns>
struct TileLanes {
  const Tile<N, Columns>& tile;
  int column;

  V x(int i) const noexcept { return load<V>(&tile.x[i][column]); }
  V w(int i) const noexcept { return load<V>(&tile.w[i][column]); }
};

}  // namespace sluice::inline SLUICE_ISA
