#pragma once

// The best scale and offset for values that are coded as scale * code + offset, code an integer of
// [0, high].

#include "codec/tile.h"

namespace sluice::inline SLUICE_ISA {

/// Sums that do not depend on the codes.
struct AffineMoments {
  FloatPart w;   ///< sum w
  FloatPart wx;  ///< sum w x
};

template <int N>
SLUICE_INLINE AffineMoments affine_moments(const TilePart<N>& part) noexcept {
  const ShortPart one(std::int16_t{1});
  IntPart w{};
  IntPart wx{};
  for (int r = 0; r < N / 2; ++r) {
    w = accumulate_products(w, part.w(r), one);
    wx = accumulate_products(wx, part.wx(r), one);
  }
  return {to_floats(w), to_floats(wx)};
}

/// A scale and an offset, and the part of sum w x^2 that coding with them explains.
struct AffineFit {
  FloatPart scale;
  FloatPart offset;
  FloatPart score;
};

/// Where zero must be within reach, as in the types that store the offset as an unsigned number to
/// subtract, the offset is not positive.
enum class Offset { any, not_positive };

/// Sums over codes that decide how well they fit.
struct CodeMoments {
  FloatPart c;   ///< sum w code
  FloatPart cc;  ///< sum w code^2
  FloatPart xc;  ///< sum w x code
};

/// The least-squares scale and offset for given codes.
template <Offset kOffset>
SLUICE_INLINE AffineFit solve_affine(const AffineMoments& moments,
                                     const CodeMoments& codes) noexcept {
  // All codes equal: the determinant is rounding noise around zero, and a constant fits.
  const FloatPart determinant = moments.w * codes.cc - codes.c * codes.c;
  const auto solvable = determinant > 1e-6f * moments.w * codes.cc;
  FloatPart scale =
      select(solvable, (moments.w * codes.xc - moments.wx * codes.c) / determinant, 0.0f);
  FloatPart offset = select(solvable, (codes.cc * moments.wx - codes.c * codes.xc) / determinant,
                            moments.wx / moments.w);
  if constexpr (kOffset == Offset::not_positive) {
    const auto positive = offset > 0.0f;
    offset = select(positive, 0.0f, offset);
    scale = select(positive, select(codes.cc > 0.0f, codes.xc / codes.cc, 0.0f), scale);
  }
  const auto usable = scale >= 0.0f;  // false for NaN too: a column without weights
  scale = select(usable, scale, 0.0f);
  offset = select(usable, offset, 0.0f);
  return {scale, offset, scale * codes.xc + offset * moments.wx};
}

/// Codes round((x - offset) * inverse), within [0, high].
template <int N>
SLUICE_INLINE CodeMoments code_affine(const TilePart<N>& part, const FloatPart& inverse,
                                      const FloatPart& offset, int high) noexcept {
  const ShortPart factor = part.factor(inverse);
  const ShortPart shift = part.shift(offset);
  const ShortPart highest(static_cast<std::int16_t>(high));
  IntPart c{};
  IntPart cc{};
  IntPart xc{};
  for (int r = 0; r < N / 2; ++r) {
    const ShortPart code =
        min(max(multiply_fractions(part.x(r) - shift, factor), std::int16_t{0}), highest);
    c = accumulate_products(c, part.w(r), code);
    cc = accumulate_products(cc, part.w(r), code * code);
    xc = accumulate_products(xc, part.wx(r), code);
  }
  return {to_floats(c), to_floats(cc), to_floats(xc)};
}

/// Codes with a scale and an offset, and keeps the best ones for the codes where these are better
/// than `best`.
template <Offset kOffset, int N>
SLUICE_INLINE void try_affine(const TilePart<N>& part, const AffineMoments& moments,
                              const FloatPart& inverse, const FloatPart& offset, int high,
                              AffineFit& best) noexcept {
  const AffineFit fit = solve_affine<kOffset>(moments, code_affine(part, inverse, offset, high));
  const auto better = fit.score > best.score;
  best.scale = select(better, fit.scale, best.scale);
  best.offset = select(better, fit.offset, best.offset);
  best.score = select(better, fit.score, best.score);
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
template <Offset kOffset, int N>
static inline AffineFit search_affine(const TilePart<N>& part, const AffineMoments& moments,
                                      int high, const AffineEffort& effort) noexcept {
  FloatPart least = part.least();
  if constexpr (kOffset == Offset::not_positive) least = min(least, 0.0f);
  const FloatPart range = max(part.most() - least, 0.0f);
  const FloatPart unit = select(range > 0.0f, 1.0f / range, 0.0f);
  AffineFit best{};
  for (int k = 0; k < effort.steps; ++k) {
    const float cut = effort.first + effort.step * static_cast<float>(k);
    const FloatPart inverse = unit * (static_cast<float>(high) / (1.0f - cut));
    for (const float share : {0.0f, 0.5f, 1.0f}) {
      try_affine<kOffset>(part, moments, inverse, least + range * (share * cut), high, best);
    }
  }
  for (int k = 0; k < effort.refinements; ++k) {
    const FloatPart inverse = select(best.scale > 0.0f, 1.0f / best.scale, 0.0f);
    try_affine<kOffset>(part, moments, inverse, best.offset, high, best);
  }
  return best;
}

}  // namespace sluice::inline SLUICE_ISA
