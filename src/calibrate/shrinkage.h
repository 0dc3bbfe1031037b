#pragma once

#include "base/team.h"
#include "linear/moments.h"

// What few tokens say of an input's second moments is mostly chance: an expert that saw fewer tokens
// than it has columns has moments without full rank. With n tokens and N columns their mean H counts for
// n / (N + n), and the rest is what is known of it otherwise (as Ledoit and Wolf, 2004, shrink covariances;
// the share is measured, see bench/notes).

namespace sluice::calibrate {

/// The rest is the mean of many tokens' moments: as if N more tokens had been like these.
/// \param many  of as many columns, with tokens
void shrink_towards(const linear::Moments& many, linear::Moments& few, Team& team);

/// The rest is the mean's own diagonal.
void shrink_towards_diagonal(linear::Moments& few, Team& team);

/// What inputs lack is shrunk as their moments are: towards that of many tokens, or, what a diagonal of
/// moments goes with, towards nothing. Before the moments are.
void shrink_towards(const linear::Lacks& many, linear::Lacks& few);
void shrink_towards_nothing(linear::Lacks& few);

/// The same moments once more.
linear::Moments copy_of(const linear::Moments& moments, Team& team);

}  // namespace sluice::calibrate
