#pragma once

// The values and weights of 16 sub-blocks, one sub-block a column, ready for a search over lanes.
// There is never a sum across lanes: a search is written for one sub-block and runs on all of them.

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

using simd::Floats;
using FloatPart = simd::Part<float>;
using IntPart = simd::Part<std::int32_t>;
using ShortPart = simd::Part<std::int16_t>;

inline constexpr int kColumns = 16;
/// A tile is searched part by part: as many columns as fill a register.
inline constexpr std::size_t kTileParts = Floats::kParts;
inline constexpr std::size_t kPartColumns = FloatPart::kLanes;

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
static inline float safe_reciprocal(float value) noexcept {
  return 1.0f / (value > FLT_MIN ? value : FLT_MIN);
}
template <std::size_t N>
static inline simd::Lanes<float, N> safe_reciprocal(const simd::Lanes<float, N>& value) noexcept {
  return 1.0f / max(value, FLT_MIN);
}

/// 1 / value, and zero for zero.
template <std::size_t N>
static inline simd::Lanes<float, N> reciprocal_or_zero(
    const simd::Lanes<float, N>& value) noexcept {
  return select(value != 0.0f, 1.0f / value, 0.0f);
}

/// Pairs of numbers times `unit`, a power of two, rounded to integers of [-2^15, 2^15), ties to
/// even. The pair of lane i becomes lanes 2i and 2i + 1.
SLUICE_INLINE ShortPart pair_integers(const FloatPart& lower, const FloatPart& upper,
                                      float unit = 1.0f) noexcept {
  // The low bits of the sums are the integers, negative ones too.
  const float shift = 0x1.8p23f / unit;
  const IntPart low = simd::bits_of<IntPart>(lower + shift) & 0xffff;
  const IntPart high = simd::shift_left<16>(simd::bits_of<IntPart>(upper + shift));
  return simd::bits_of<ShortPart>(low | high);
}

/// Puts 16 runs of numbers into columns. `Rows` is an array of Floats, so many as a run has numbers.
template <class Rows>
SLUICE_INLINE void load_columns(const float* const (&runs)[kColumns], Rows& rows) noexcept {
  for (std::size_t p = 0; p < kTileParts; ++p) {
    for (std::size_t i = 0; i < std::size(rows); i += kPartColumns) {
      FloatPart square[kPartColumns];
#pragma GCC unroll 16
      for (std::size_t c = 0; c < kPartColumns; ++c) {
        square[c] = FloatPart::load(runs[p * kPartColumns + c] + i);
      }
      transpose(square);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < kPartColumns; ++r) set_part(rows[i + r], p, square[r]);
    }
  }
}

/// Where `Shared` neighbouring columns are a block: what join(number, number) makes of the numbers
/// of a block, for each of its columns.
template <int Shared, class Join>
static inline Floats over_blocks(const Floats& numbers, Join join) noexcept {
  if constexpr (Shared == 1) return numbers;
  alignas(64) float at[kColumns];
  numbers.store(at);
  for (int first = 0; first < kColumns; first += Shared) {
    float all = at[first];
    for (int c = 1; c < Shared; ++c) all = join(all, at[first + c]);
    std::fill_n(at + first, Shared, all);
  }
  return Floats::load(at);
}

template <int Shared>
static inline Floats most_of_block(const Floats& numbers) noexcept {
  return over_blocks<Shared>(numbers, [](float a, float b) noexcept { return a > b ? a : b; });
}

template <int Shared>
static inline Floats sum_of_block(const Floats& numbers) noexcept {
  return over_blocks<Shared>(numbers, [](float a, float b) noexcept { return a + b; });
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
  Floats least;      ///< value of a column, of those that have weight
  Floats most;       ///< the opposite
  Floats magnitude;  ///< of a column: what `x`, `least` and `most` are multiples of
  Floats column_weight;
  Floats wxx;    ///< sum weight * value^2, in units of `wx` and the magnitude
  float x_unit;  ///< what stands for a value of one

  /// `importance` is 16 runs of N numbers too, or null. Codes will have `bits` bits.
  template <int Shared>
  void set(const float* const (&values)[kColumns], const float* const (*importance)[kColumns],
           int bits, float mean_share = 1.0f) noexcept {
    // Half of the precision for values, half for the scales that they are multiplied by: the error
    // before rounding to a code is about a hundredth of a code.
    x_unit = static_cast<float>(64 << bits);
    Floats value[N];
    Floats weight[N];
    load_columns(values, value);
    if (importance != nullptr) load_columns(*importance, weight);
    // From here on values are multiples of twice the block's magnitude: then neither they nor their
    // weights are above one, and an importance times a weight stays finite.
    const Floats block_magnitude = most_of_block<Shared>(largest_of_columns(value));
    const Floats energy = multiply(value, 0.5f * safe_reciprocal(block_magnitude));
    const Floats mean =
        sum_of_block<Shared>(energy) * (mean_share / static_cast<float>(N * Shared));
    const bool known = importance != nullptr;
    for (std::size_t p = 0; p < kTileParts; ++p) {
      Span span = weigh(value, part_of(mean, p), known, p, weight);
      set_part(column_weight, p, span.most_weight);
      if (!positive(span.least_weight)) span = leave_out_weightless(value, span, p, weight);
      const FloatPart largest = max(max(span.low, -span.low), max(span.high, -span.high));
      const FloatPart per_value = safe_reciprocal(largest);
      set_part(least, p, span.low * per_value);
      set_part(most, p, span.high * per_value);
      set_part(magnitude, p, largest * 2.0f * part_of(block_magnitude, p));
      store_rows(value, weight, per_value, safe_reciprocal(span.most_weight), p);
    }
  }

 private:
  /// What the values and weights of some columns span.
  struct Span {
    FloatPart low;
    FloatPart high;
    FloatPart least_weight;
    FloatPart most_weight;
  };

  static bool positive(const FloatPart& numbers) noexcept {
    bool all = true;
    for (std::size_t i = 0; i < kPartColumns; ++i) all &= numbers[i] > 0.0f;
    return all;
  }

  static Floats largest_of_columns(const Floats (&value)[N]) noexcept {
    Floats largest{};
    for (const Floats& row : value) largest = max(largest, abs(row));
    return largest;
  }

  /// Multiplies columns, and returns the sums of the squares.
  static Floats multiply(Floats (&value)[N], const Floats& factor) noexcept {
    Floats squares{};
    for (Floats& row : value) {
      row *= factor;
      squares += row * row;
    }
    return squares;
  }

  /// Turns importances, where they are known, into weights.
  static Span weigh(const Floats (&value)[N], const FloatPart& mean, bool known, std::size_t part,
                    Floats (&weight)[N]) noexcept {
    Span span{{}, {}, FLT_MAX, {}};
    for (int i = 0; i < N; ++i) {
      const FloatPart v = part_of(value[i], part);
      FloatPart q = sqrt(mean + v * v);
      if (known) q *= part_of(weight[i], part);
      set_part(weight[i], part, q);
      span.most_weight = max(span.most_weight, q);
      span.least_weight = min(span.least_weight, q);
      span.low = i == 0 ? v : min(span.low, v);
      span.high = i == 0 ? v : max(span.high, v);
    }
    return span;
  }

  /// What has no weight must not decide where the search starts. Weights that are all zero ask for
  /// nothing: take the plain error then.
  static Span leave_out_weightless(const Floats (&value)[N], const Span& all, std::size_t part,
                                   Floats (&weight)[N]) noexcept {
    const auto some = all.most_weight > 0.0f;
    Span span = {select(some, 2.0f, all.low), select(some, -2.0f, all.high), all.least_weight,
                 select(some, all.most_weight, 1.0f)};
    for (int i = 0; i < N; ++i) {
      const FloatPart v = part_of(value[i], part);
      const FloatPart q = part_of(weight[i], part);
      const auto counts = q > 0.0f;
      span.low = min(span.low, select(counts, v, span.low));
      span.high = max(span.high, select(counts, v, span.high));
      set_part(weight[i], part, select(some, q, 1.0f));
    }
    return span;
  }

  void store_rows(const Floats (&value)[N], const Floats (&weight)[N], const FloatPart& per_value,
                  const FloatPart& per_weight, std::size_t part) noexcept {
    FloatPart energy{};
    for (int r = 0; r < N / 2; ++r) {
      FloatPart values[2];
      FloatPart weights[2];
      FloatPart weighted[2];
      for (int k = 0; k < 2; ++k) {
        // What has no weight may be far outside of [-1, 1], and its codes are then anything.
        values[k] = part_of(value[2 * r + k], part) * per_value;
        weights[k] = part_of(weight[2 * r + k], part) * per_weight * kWeightUnit;
        weighted[k] = weights[k] * values[k];
        energy += weighted[k] * values[k];
      }
      const std::size_t column = part * ShortPart::kLanes;
      pair_integers(values[0], values[1], x_unit).store(&x[r][column]);
      pair_integers(weights[0], weights[1]).store(&w[r][column]);
      pair_integers(weighted[0], weighted[1]).store(&wx[r][column]);
    }
    set_part(wxx, part, energy);
  }
};

/// Those neighbouring columns of a tile that fill a register.
template <int N>
struct TilePart {
  const Tile<N>& tile;
  std::size_t part;

  SLUICE_INLINE ShortPart x(int row) const noexcept { return pairs(tile.x[row]); }
  SLUICE_INLINE ShortPart w(int row) const noexcept { return pairs(tile.w[row]); }
  SLUICE_INLINE ShortPart wx(int row) const noexcept { return pairs(tile.wx[row]); }
  FloatPart least() const noexcept { return part_of(tile.least, part); }
  FloatPart most() const noexcept { return part_of(tile.most, part); }

  /// A number to multiply `x` by with multiply_fractions().
  SLUICE_INLINE ShortPart factor(const FloatPart& inverse) const noexcept {
    const FloatPart integer = clamp(inverse * (32768.0f / tile.x_unit), -32767.0f, 32767.0f);
    return pair_integers(integer, integer);
  }

  /// A number to subtract from `x`.
  SLUICE_INLINE ShortPart shift(const FloatPart& offset) const noexcept {
    const FloatPart integer = clamp(offset * tile.x_unit, -16384.0f, 16384.0f);
    return pair_integers(integer, integer);
  }

 private:
  SLUICE_INLINE ShortPart pairs(const std::int16_t (&row)[2 * kColumns]) const noexcept {
    return ShortPart::load(&row[part * ShortPart::kLanes]);
  }
};

}  // namespace sluice::inline SLUICE_ISA
