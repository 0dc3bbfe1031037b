#pragma once

// The best scale for values that are coded as scale * code, code an integer of [low, high].

#include "codec/scale_search/tile.h"

namespace sluice::inline SLUICE_ISA {

/// A scale, and the part of sum w x^2 that coding with it explains (the error is the rest).
template <class V>
struct SymmetricFit {
  V scale;
  V score;
};

/// Sums over codes that decide how well they fit.
template <class V>
struct SymmetricMoments {
  V cc;  ///< sum w code^2
  V xc;  ///< sum w x code
};

/// Codes round(x * inverse), within [low, high].
template <class V, int N>
static inline SymmetricMoments<V> code_symmetric(const TileLanes<V, N>& lanes, V inverse, float low,
                                                 float high) noexcept {
  SymmetricMoments<V> codes{};
  for (int i = 0; i < N; ++i) {
    const V x = lanes.x(i);
    const V code = round_to_integer(clamp(x * inverse, low, high));
    const V weighted = lanes.w(i) * code;
    codes.cc += weighted * code;
    codes.xc += weighted * x;
  }
  return codes;
}

/// The least-squares scale for given codes.
template <class V>
static inline SymmetricFit<V> solve_symmetric(const SymmetricMoments<V>& codes) noexcept {
  const V scale = codes.cc > 0.0f ? codes.xc / codes.cc : V{};
  return {scale, scale * codes.xc};
}

/// How far a search goes. Inverse scales start at (-low + first) / max|x|, in steps of `step`, and
/// with both signs, because [low, high] reaches further on one side.
struct SymmetricEffort {
  float first;
  float step;
  int steps;
  int refinements;  ///< rounds of coding again with the scale found
};

template <class V, int N>
static inline SymmetricFit<V> search_symmetric(const TileLanes<V, N>& lanes, float low, float high,
                                               const SymmetricEffort& effort) noexcept {
  V largest{};
  for (int i = 0; i < N; ++i) {
    // What has no weight must not decide where the search starts.
    const V x = lanes.w(i) > 0.0f ? magnitude_of(lanes.x(i)) : V{};
    largest = greater(largest, x);
  }
  const V unit = largest > 0.0f ? 1.0f / largest : V{};
  SymmetricFit<V> best{};
  const auto consider = [&](V inverse) {
    const SymmetricFit<V> fit = solve_symmetric(code_symmetric(lanes, inverse, low, high));
    const auto better = fit.score > best.score;
    best.scale = better ? fit.scale : best.scale;
    best.score = better ? fit.score : best.score;
  };
  for (int k = 0; k < effort.steps; ++k) {
    const V inverse = unit * (effort.first + effort.step * static_cast<float>(k) - low);
    consider(inverse);
    consider(-inverse);
  }
  for (int k = 0; k < effort.refinements; ++k) {
    consider(best.scale != 0.0f ? 1.0f / best.scale : V{});
  }
  return best;
}

}  // namespace sluice::inline SLUICE_ISA
