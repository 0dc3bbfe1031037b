#pragma once

#include <cstddef>

#include "sluice/codec.h"

namespace sluice::linear {

/// So many columns of a state are kept side by side. What is in a column depends on no other.
inline constexpr std::size_t kStateColumns = 16;

/// What a token brings to a head's state, however many columns are in hand.
struct DeltaStep {
  const float* query;  ///< [depth]
  const float* key;    ///< [depth]
  std::size_t depth;
  float decay;  ///< what the state is multiplied by before
  float rate;   ///< how much of what the state lacks is added to it
};

/// One step of the gated delta rule (Yang et al., Gated Delta Networks, 2024): of the state S, values
/// v become q^T S after S = decay S, S = S + k rate (v - k^T S)^T. Sums are in the order of the depth.
/// \param state    [step.depth, kStateColumns]
/// \param values   [columns], overwritten
/// \param columns  at most kStateColumns
void delta_step(const DeltaStep& step, float* state, float* values, std::size_t columns, Isa isa);

}  // namespace sluice::linear
