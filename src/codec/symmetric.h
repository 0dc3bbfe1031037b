#pragma once

// The best scale for values that are coded as scale * code, code an integer of [low, high].

#include "codec/tile.h"

namespace sluice::inline SLUICE_ISA {

/// A scale, and the part of sum w x^2 that coding with it explains (the error is the rest).
struct SymmetricFit {
  FloatPart scale;
  FloatPart score;
  FloatPart cc;  ///< sum w code^2
};

/// Sums over codes that decide how well they fit.
struct SymmetricMoments {
  FloatPart cc;  ///< sum w code^2
  FloatPart xc;  ///< sum w x code
};

/// Codes round(x * inverse), within [low, high].
template <int N>
SLUICE_INLINE SymmetricMoments code_symmetric(const TilePart<N>& part, const FloatPart& inverse,
                                              int low, int high) noexcept {
  const ShortPart factor = part.factor(inverse);
  const ShortPart lowest(static_cast<std::int16_t>(low));
  const ShortPart highest(static_cast<std::int16_t>(high));
  IntPart cc{};
  IntPart xc{};
  for (int r = 0; r < N / 2; ++r) {
    const ShortPart code = min(max(multiply_fractions(part.x(r), factor), lowest), highest);
    cc = accumulate_products(cc, part.w(r), code * code);
    xc = accumulate_products(xc, part.wx(r), code);
  }
  return {to_floats(cc), to_floats(xc)};
}

/// The least-squares scale for given codes.
SLUICE_INLINE SymmetricFit solve_symmetric(const SymmetricMoments& codes) noexcept {
  const FloatPart scale = select(codes.cc > 0.0f, codes.xc / codes.cc, 0.0f);
  return {scale, scale * codes.xc, codes.cc};
}

/// Codes with a scale, and keeps the best one for the codes where it is better than `best`.
template <int N>
SLUICE_INLINE void try_symmetric(const TilePart<N>& part, const FloatPart& inverse, int low,
                                 int high, SymmetricFit& best) noexcept {
  const SymmetricFit fit = solve_symmetric(code_symmetric(part, inverse, low, high));
  const auto better = fit.score > best.score;
  best.scale = select(better, fit.scale, best.scale);
  best.score = select(better, fit.score, best.score);
  best.cc = select(better, fit.cc, best.cc);
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
template <int N>
static inline SymmetricFit search_symmetric(const TilePart<N>& part, int low, int high,
                                            const SymmetricEffort& effort) noexcept {
  SymmetricFit best{};
  const FloatPart sign = select(-part.least() >= part.most(), FloatPart(1.0f), -1.0f);
  for (int k = 0; k < effort.steps; ++k) {
    const FloatPart inverse =
        sign * (effort.first + effort.step * static_cast<float>(k) - static_cast<float>(low));
    try_symmetric(part, inverse, low, high, best);
    if (effort.opposite > 0 && k % effort.opposite == effort.opposite - 1) {
      try_symmetric(part, -inverse, low, high, best);
    }
  }
  for (int k = 0; k < effort.refinements; ++k) {
    try_symmetric(part, reciprocal_or_zero(best.scale), low, high, best);
  }
  return best;
}

}  // namespace sluice::inline SLUICE_ISA
