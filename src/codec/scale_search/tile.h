#pragma once

// The values and weights of 16 sub-blocks, one sub-block a column, ready for a search over lanes.

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/scale_search/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// The largest magnitude of `n` values.
static inline float largest_magnitude(const float* values, std::size_t n) noexcept {
  // Without the sign, floats are ordered as their bits are, and g++ vectorizes a maximum of
  // integers.
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t magnitude = std::bit_cast<std::int32_t>(values[i]) & 0x7fffffff;
    largest = largest < magnitude ? magnitude : largest;
  }
  return std::bit_cast<float>(largest);
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

/// 16 sub-blocks of N weights as fixed-point numbers of 16 bits, of which a register holds twice as
/// many as of floats, and whose sums are exact: in any order and at any width the same.
///
/// Row r has the weights 2r and 2r + 1 of each column side by side. `x` is in units of the column's
/// largest magnitude; what weights and values lose here is lost to the search only, since codes are
/// found anew from the values as given. `Shared` neighbouring columns are one block.
///
/// What an error counts is importance * sqrt(mean_share * mean x^2 + x^2), the mean over a block,
/// with an importance of one where none is known. Large weights matter more than their importance
/// says, since it is an average over inputs; in real models this gives less divergence than the
/// importance alone (the method is that of ik_llama.cpp's pull request 327).
///
/// Each column's weights are scaled so that the largest is one: importances of any magnitude then
/// give the same search. What is divided out is `column_weight`, which matters only where columns
/// share something (the scale of a super-block).
template <int N>
struct Tile {
  static constexpr float kWeightUnit = 32767.0f;  ///< what stands for a weight of one

  alignas(64) std::int16_t x[N / 2][2 * kColumns];
  alignas(64) std::int16_t w[N / 2][2 * kColumns];   ///< weight
  alignas(64) std::int16_t wx[N / 2][2 * kColumns];  ///< weight * value
  Columns least;      ///< value of a column, of those that have weight
  Columns most;       ///< the opposite
  Columns magnitude;  ///< of a column: what `x`, `least` and `most` are multiples of
  Columns column_weight;
  Columns wxx;   ///< sum weight * value^2, in units of `wx` and the magnitude
  float x_unit;  ///< what stands for a value of one

  /// `importance` is 16 runs of N numbers too, or null. Codes will have `bits` bits.
  template <class V, int Shared>
  void set(const float* const (&values)[kColumns], const float* const (*importance)[kColumns],
           int bits, float mean_share = 1.0f) noexcept {
    // Half of the precision for values, half for the scales that they are multiplied by: the error
    // before rounding to a code is about a hundredth of a code.
    x_unit = static_cast<float>(64 << bits);
    alignas(64) float floats[N][kColumns];
    alignas(64) float weights[N][kColumns];
    load_columns<V>(values, floats);
    if (importance != nullptr) load_columns<V>(*importance, weights);
    Columns block;  // magnitude
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      V largest{};
      for (int i = 0; i < N; ++i) {
        largest = greater(largest, without_sign(load<V>(&floats[i][lane])));
      }
      store(&block.at[lane], largest);
    }
    for (int first = 0; first < kColumns; first += Shared) {
      float largest = 0;
      for (int c = 0; c < Shared; ++c) largest = greater(largest, block.at[first + c]);
      for (int c = 0; c < Shared; ++c) block.at[first + c] = largest;
    }
    // From here on values are multiples of twice the block's magnitude: then neither they nor their
    // weights are above one, and an importance times a weight stays finite.
    Columns squares;
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const V unit = 0.5f * safe_reciprocal(load<V>(&block.at[lane]));
      V sum{};
      for (int i = 0; i < N; ++i) {
        const V value = load<V>(&floats[i][lane]) * unit;
        store(&floats[i][lane], value);
        sum += value * value;
      }
      store(&squares.at[lane], sum);
    }
    for (int first = 0; first < kColumns; first += Shared) {
      float sum = 0;
      for (int c = 0; c < Shared; ++c) sum += squares.at[first + c];
      for (int c = 0; c < Shared; ++c) squares.at[first + c] = sum;
    }
    for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
      const V mean = load<V>(&squares.at[lane]) * (mean_share / static_cast<float>(N * Shared));
      V largest{};
      V smallest = V{} + FLT_MAX;
      V low{};
      V high{};
      for (int i = 0; i < N; ++i) {
        const V value = load<V>(&floats[i][lane]);
        V weight = square_root(mean + value * value);
        if (importance != nullptr) weight *= load<V>(&weights[i][lane]);
        store(&weights[i][lane], weight);
        largest = greater(largest, weight);
        smallest = lesser(smallest, weight);
        low = i == 0 ? value : lesser(low, value);
        high = i == 0 ? value : greater(high, value);
      }
      store(&column_weight.at[lane], largest);
      Columns least_weight;
      store(&least_weight.at[0], smallest);
      bool all_count = true;
      for (int c = 0; c < kLanes<V>; ++c) all_count &= least_weight.at[c] > 0.0f;
      if (!all_count) {
        // What has no weight must not decide where the search starts. Weights that are all zero
        // ask for nothing: take the plain error then.
        const auto some = largest > 0.0f;
        low = some ? V{} + 2.0f : low;
        high = some ? V{} - 2.0f : high;
        for (int i = 0; i < N; ++i) {
          const V value = load<V>(&floats[i][lane]);
          const V weight = load<V>(&weights[i][lane]);
          const auto counts = weight > 0.0f;
          low = lesser(low, counts ? value : low);
          high = greater(high, counts ? value : high);
          store(&weights[i][lane], some ? weight : V{} + 1.0f);
        }
        largest = some ? largest : V{} + 1.0f;
      }
      const V largest_value = greater(magnitude_of(low), magnitude_of(high));
      const V per_value = safe_reciprocal(largest_value);
      store(&least.at[lane], low * per_value);
      store(&most.at[lane], high * per_value);
      store(&magnitude.at[lane], largest_value * 2.0f * load<V>(&block.at[lane]));
      const V per_weight = safe_reciprocal(largest);
      V energy{};
      for (int r = 0; r < N / 2; ++r) {
        V value[2];
        V weight[2];
        V weighted[2];
        for (int k = 0; k < 2; ++k) {
          // What has no weight may be far outside of [-1, 1], and its codes are then anything.
          value[k] = load<V>(&floats[2 * r + k][lane]) * per_value;
          weight[k] = load<V>(&weights[2 * r + k][lane]) * per_weight * kWeightUnit;
          weighted[k] = weight[k] * value[k];
          energy += weighted[k] * value[k];
        }
        store_pairs(x[r], lane, pair_integers(value[0], value[1], x_unit));
        store_pairs(w[r], lane, pair_integers(weight[0], weight[1]));
        store_pairs(wx[r], lane, pair_integers(weighted[0], weighted[1]));
      }
      store(&wxx.at[lane], energy);
    }
  }

 private:
  template <class S>
  static void store_pairs(std::int16_t (&row)[2 * kColumns], int column, S pairs) noexcept {
    std::memcpy(&row[2 * column], &pairs, sizeof pairs);
  }
};

/// kLanes<V> neighbouring columns of a tile.
template <class V, int N>
struct TileLanes {
  const Tile<N>& tile;
  int column;

  Shorts<V> x(int row) const noexcept { return pairs(tile.x[row]); }
  Shorts<V> w(int row) const noexcept { return pairs(tile.w[row]); }
  Shorts<V> wx(int row) const noexcept { return pairs(tile.wx[row]); }

  /// A number to multiply `x` by with multiply_fractions().
  Shorts<V> factor(V inverse) const noexcept {
    const V integer = clamp(inverse * (32768.0f / tile.x_unit), -32767.0f, 32767.0f);
    return pair_integers(integer, integer);
  }

  /// A number to subtract from `x`.
  Shorts<V> shift(V offset) const noexcept {
    const V integer = clamp(offset * tile.x_unit, -16384.0f, 16384.0f);
    return pair_integers(integer, integer);
  }

 private:
  Shorts<V> pairs(const std::int16_t (&row)[2 * kColumns]) const noexcept {
    Shorts<V> value;
    std::memcpy(&value, &row[2 * column], sizeof value);
    return value;
  }
};

}  // namespace sluice::inline SLUICE_ISA
