#pragma once

#include "linear/moments.h"

// What few tokens say of an input's second moments is mostly chance: an expert that saw fewer tokens
// than it has columns has moments without full rank. They are drawn towards those of many tokens.

namespace sluice::calibrate {

/// So many tokens of the many count, for each column, beside what an expert saw itself.
inline constexpr double kPriorTokensPerColumn = 0.25;

/// Adds to the sums of few tokens those of many, as if these were kPriorTokensPerColumn tokens for each
/// column; fewer, if they are fewer.
/// \param prior  of as many columns
void draw_towards(const linear::Moments& prior, linear::Moments& moments);

/// sum += factor * other, element by element. Both are of one size.
void add_scaled(const linear::Triangle& other, float factor, linear::Triangle& sum);

}  // namespace sluice::calibrate
