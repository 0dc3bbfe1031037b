#pragma once

// The values and weights of 16 sub-blocks, one sub-block a column, ready for a search over lanes.

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstddef>

#include "codec/scale_search/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// The largest magnitude of `n` values.
static inline float largest_magnitude(const float* values, std::size_t n) noexcept {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float magnitude = std::fabs(values[i]);
    largest = largest < magnitude ? magnitude : largest;
  }
  return largest;
}

/// 1 / value, but finite for zero and for the smallest denormals. Scaling by it brings values into
/// [-1, 1] (or, if all are denormal, near zero), where squares and sums neither overflow nor
/// vanish.
template <class V>
static inline V safe_reciprocal(V value) noexcept {
  return 1.0f / greater(value, V{} + FLT_MIN);
}

inline constexpr int kColumns = 16;

/// One number a column.
struct Columns {
  alignas(64) float at[kColumns];
};

/// Puts 16 runs of N numbers into columns.
template <class V, int N>
static inline void load_columns(const float* const (&runs)[kColumns],
                                float (&columns)[N][kColumns]) noexcept {
  constexpr int kSide = kLanes<V>;
  for (int first = 0; first < kColumns; first += kSide) {
    for (int i = 0; i < N; i += kSide) {
      V square[kSide];
#pragma GCC unroll 16
      for (int c = 0; c < kSide; ++c) square[c] = load<V>(runs[first + c] + i);
      transpose(square);
#pragma GCC unroll 16
      for (int r = 0; r < kSide; ++r) store(&columns[i + r][first], square[r]);
    }
  }
}

/// 16 sub-blocks of N weights. `Shared` neighbouring columns are one block, and values are in units
/// of its largest magnitude.
///
/// What an error counts is importance * sqrt(mean x^2 + x^2), the mean over a block, with an
/// importance of one where none is known. Large weights matter more than their importance says,
/// since it is an average over inputs; in real models this gives less divergence than the
/// importance alone (the method is that of ik_llama.cpp's pull request 327).
///
/// Each column's weights are scaled so that the largest is one: importances of any magnitude then
/// give the same search. What is divided out is `column_weight`, which matters only where columns
/// share something (the scale of a super-block).
template <int N>
struct Tile {
  alignas(64) float x[N][kColumns];
  alignas(64) float w[N][kColumns];
  Columns magnitude;  ///< of a column's block
  Columns column_weight;

  /// `importance` is 16 runs of N numbers too, or null.
  template <class V, int Shared>
  void set(const float* const (&values)[kColumns],
           const float* const (*importance)[kColumns]) noexcept {
    load_columns<V>(values, x);
    if (importance != nullptr) load_columns<V>(*importance, w);
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      V largest{};
      for (int i = 0; i < N; ++i) largest = greater(largest, magnitude_of(load<V>(&x[i][lane])));
      store(&magnitude.at[lane], largest);
    }
    for (int first = 0; first < kColumns; first += Shared) {
      float largest = 0;
      for (int c = 0; c < Shared; ++c) largest = greater(largest, magnitude.at[first + c]);
      for (int c = 0; c < Shared; ++c) magnitude.at[first + c] = largest;
    }
    Columns squares;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const V unit = safe_reciprocal(load<V>(&magnitude.at[lane]));
      V sum{};
      for (int i = 0; i < N; ++i) {
        const V scaled = load<V>(&x[i][lane]) * unit;
        store(&x[i][lane], scaled);
        sum += scaled * scaled;
      }
      store(&squares.at[lane], sum);
    }
    for (int first = 0; first < kColumns; first += Shared) {
      float sum = 0;
      for (int c = 0; c < Shared; ++c) sum += squares.at[first + c];
      for (int c = 0; c < Shared; ++c) squares.at[first + c] = sum;
    }
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const V mean = load<V>(&squares.at[lane]) / static_cast<float>(N * Shared);
      V largest{};
      for (int i = 0; i < N; ++i) {
        const V value = load<V>(&x[i][lane]);
        // Halved, to stay finite.
        V weight = 0.5f * square_root(mean + value * value);
        if (importance != nullptr) weight *= load<V>(&w[i][lane]);
        largest = greater(largest, weight);
        store(&w[i][lane], weight);
      }
      store(&column_weight.at[lane], largest);
      const V unit = safe_reciprocal(largest);
      for (int i = 0; i < N; ++i) {
        // Weights that are all zero ask for nothing: take the plain error then.
        store(&w[i][lane], largest > 0.0f ? load<V>(&w[i][lane]) * unit : V{} + 1.0f);
      }
    }
  }
};

/// kLanes<V> neighbouring columns of a tile.
template <class V, int N>
struct TileLanes {
  const Tile<N>& tile;
  int column;

  V x(int i) const noexcept { return load<V>(&tile.x[i][column]); }
  V w(int i) const noexcept { return load<V>(&tile.w[i][column]); }
};

}  // namespace sluice::inline SLUICE_ISA
