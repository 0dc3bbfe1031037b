#pragma once

// The best scale and offset for values that are coded as scale * code + offset, code an integer of
// [0, high].

#include "codec/scale_search/tile.h"

namespace sluice::inline SLUICE_ISA {

/// Sums that do not depend on the codes.
template <class V>
struct AffineMoments {
  V w;   ///< sum w
  V wx;  ///< sum w x
};

template <class V, int N>
static inline AffineMoments<V> affine_moments(const TileLanes<V, N>& lanes) noexcept {
  const Shorts<V> one = Shorts<V>{} + std::int16_t{1};
  Ints<V> w{};
  Ints<V> wx{};
  for (int r = 0; r < N / 2; ++r) {
    w = accumulate_products<V>(w, lanes.w(r), one);
    wx = accumulate_products<V>(wx, lanes.wx(r), one);
  }
  return {to_float<V>(w), to_float<V>(wx)};
}

/// A scale and an offset, and the part of sum w x^2 that coding with them explains.
template <class V>
struct AffineFit {
  V scale;
  V offset;
  V score;
};

/// Where zero must be within reach, as in the types that store the offset as an unsigned number to
/// subtract, the offset is not positive.
enum class Offset { any, not_positive };

/// Sums over codes that decide how well they fit.
template <class V>
struct CodeMoments {
  V c;   ///< sum w code
  V cc;  ///< sum w code^2
  V xc;  ///< sum w x code
};

/// The least-squares scale and offset for given codes.
template <Offset kOffset, class V>
static inline AffineFit<V> solve_affine(const AffineMoments<V>& moments,
                                        const CodeMoments<V>& codes) noexcept {
  // All codes equal: the determinant is rounding noise around zero, and a constant fits.
  const V determinant = moments.w * codes.cc - codes.c * codes.c;
  const auto solvable = determinant > 1e-6f * moments.w * codes.cc;
  V scale = solvable ? (moments.w * codes.xc - moments.wx * codes.c) / determinant : V{};
  V offset = solvable ? (codes.cc * moments.wx - codes.c * codes.xc) / determinant
                      : moments.wx / moments.w;
  if constexpr (kOffset == Offset::not_positive) {
    const auto positive = offset > 0.0f;
    offset = positive ? V{} : offset;
    scale = positive ? (codes.cc > 0.0f ? codes.xc / codes.cc : V{}) : scale;
  }
  const auto usable = scale >= 0.0f;  // false for NaN too: a column without weights
  scale = usable ? scale : V{};
  offset = usable ? offset : V{};
  return {scale, offset, scale * codes.xc + offset * moments.wx};
}

/// Codes round((x - offset) * inverse), within [0, high].
template <class V, int N>
static inline CodeMoments<V> code_affine(const TileLanes<V, N>& lanes, V inverse, V offset,
                                         int high) noexcept {
  const Shorts<V> factor = lanes.factor(inverse);
  const Shorts<V> shift = lanes.shift(offset);
  const Shorts<V> highest = Shorts<V>{} + static_cast<std::int16_t>(high);
  Ints<V> c{};
  Ints<V> cc{};
  Ints<V> xc{};
  for (int r = 0; r < N / 2; ++r) {
    const Shorts<V> code =
        clamp_integers(multiply_fractions(lanes.x(r) - shift, factor), Shorts<V>{}, highest);
    c = accumulate_products<V>(c, lanes.w(r), code);
    cc = accumulate_products<V>(cc, lanes.w(r), code * code);
    xc = accumulate_products<V>(xc, lanes.wx(r), code);
  }
  return {to_float<V>(c), to_float<V>(cc), to_float<V>(xc)};
}

/// How far a search goes. The range that the codes span starts as the values' own and is narrowed
/// from below, from above and from both ends, `steps` times by `step` of the range.
struct AffineEffort {
  float first;  ///< narrowing to start with; negative is wider
  float step;
  int steps;
  int refinements;  ///< rounds of coding again with the scale and offset found
};

/// The scale and offset are in units of the column's magnitude.
template <Offset kOffset, class V, int N>
static inline AffineFit<V> search_affine(const TileLanes<V, N>& lanes,
                                         const AffineMoments<V>& moments, int high,
                                         const AffineEffort& effort) noexcept {
  V least = load<V>(&lanes.tile.least.at[lanes.column]);
  if constexpr (kOffset == Offset::not_positive) least = lesser(least, V{});
  const V range = greater(load<V>(&lanes.tile.most.at[lanes.column]) - least, V{});
  const V unit = range > 0.0f ? 1.0f / range : V{};
  AffineFit<V> best{};
  const auto consider = [&](V inverse, V offset) noexcept {
    const AffineFit<V> fit =
        solve_affine<kOffset>(moments, code_affine(lanes, inverse, offset, high));
    const auto better = fit.score > best.score;
    best.scale = better ? fit.scale : best.scale;
    best.offset = better ? fit.offset : best.offset;
    best.score = better ? fit.score : best.score;
  };
  for (int k = 0; k < effort.steps; ++k) {
    const float cut = effort.first + effort.step * static_cast<float>(k);
    const V inverse = unit * (static_cast<float>(high) / (1.0f - cut));
    consider(inverse, least);
    consider(inverse, least + range * (0.5f * cut));
    consider(inverse, least + range * cut);
  }
  for (int k = 0; k < effort.refinements; ++k) {
    consider(best.scale > 0.0f ? 1.0f / best.scale : V{}, best.offset);
  }
  return best;
}

}  // namespace sluice::inline SLUICE_ISA
