#pragma once

// The best scale for values that are coded as scale * code, code an integer of [low, high].

#include "codec/scale_search/tile.h"

namespace sluice::inline SLUICE_ISA {

/// A scale, and the part of sum w x^2 that coding with it explains (the error is the rest).
template <class V>
struct SymmetricFit {
  V scale;
  V score;
  V cc;  ///< sum w code^2
};

/// Sums over codes that decide how well they fit.
template <class V>
struct SymmetricMoments {
  V cc;  ///< sum w code^2
  V xc;  ///< sum w x code
};

/// Codes round(x * inverse), within [low, high].
template <class V, int N>
static inline SymmetricMoments<V> code_symmetric(const TileLanes<V, N>& lanes, V inverse, int low,
                                                 int high) noexcept {
  const Shorts<V> factor = lanes.factor(inverse);
  const Shorts<V> lowest = Shorts<V>{} + static_cast<std::int16_t>(low);
  const Shorts<V> highest = Shorts<V>{} + static_cast<std::int16_t>(high);
  Ints<V> cc{};
  Ints<V> xc{};
  for (int r = 0; r < N / 2; ++r) {
    const Shorts<V> code = clamp_integers(multiply_fractions(lanes.x(r), factor), lowest, highest);
    cc = accumulate_products<V>(cc, lanes.w(r), code * code);
    xc = accumulate_products<V>(xc, lanes.wx(r), code);
  }
  return {to_float<V>(cc), to_float<V>(xc)};
}

/// The least-squares scale for given codes.
template <class V>
static inline SymmetricFit<V> solve_symmetric(const SymmetricMoments<V>& codes) noexcept {
  const V scale = codes.cc > 0.0f ? codes.xc / codes.cc : V{};
  return {scale, scale * codes.xc, codes.cc};
}

/// How far a search goes. Inverse scales start at (-low + first) / max|x|, in steps of `step`, with
/// the sign that brings max|x| to the side where [low, high] reaches further.
struct SymmetricEffort {
  float first;
  float step;
  int steps;
  int refinements;  ///< rounds of coding again with the scale found
  int opposite;     ///< with the other sign too every so many steps; 0: never
};

/// The scale is in units of the column's magnitude.
template <class V, int N>
static inline SymmetricFit<V> search_symmetric(const TileLanes<V, N>& lanes, int low, int high,
                                               const SymmetricEffort& effort) noexcept {
  SymmetricFit<V> best{};
  const auto consider = [&](V inverse) noexcept {
    const SymmetricFit<V> fit = solve_symmetric(code_symmetric(lanes, inverse, low, high));
    const auto better = fit.score > best.score;
    best.scale = better ? fit.scale : best.scale;
    best.score = better ? fit.score : best.score;
    best.cc = better ? fit.cc : best.cc;
  };
  const V below = -load<V>(&lanes.tile.least.at[lanes.column]);
  const V above = load<V>(&lanes.tile.most.at[lanes.column]);
  const V sign = below >= above ? V{} + 1.0f : V{} - 1.0f;
  for (int k = 0; k < effort.steps; ++k) {
    const V inverse =
        sign * (effort.first + effort.step * static_cast<float>(k) - static_cast<float>(low));
    consider(inverse);
    if (effort.opposite > 0 && k % effort.opposite == effort.opposite - 1) consider(-inverse);
  }
  for (int k = 0; k < effort.refinements; ++k) {
    consider(best.scale != 0.0f ? 1.0f / best.scale : V{});
  }
  return best;
}

}  // namespace sluice::inline SLUICE_ISA
