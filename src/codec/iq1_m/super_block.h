#pragma once

// What the IQ1_M encoder makes of a super-block before it searches: scaled, weighed and turned.

#include "codec/iq1_m/group_search.h"
#include "codec/iq1_m/lanes.h"

namespace sluice::inline SLUICE_ISA::iq1_m {

/// Importance of a super-block's columns.
struct Importance {
  Halves q[kWidth];  ///< scaled by a power of two so that the largest is in [1, 2)
  float share;       ///< of their mean: what it is raised by where there is any
};

/// What belongs to each sub-block.
inline Floats pair_sum(const Halves& values) noexcept {
  return values.half[0] + values.half[1];
}

/// A super-block made ready: values scaled by a power of two so that their largest is in [1, 2) and
/// nothing can overflow or vanish that matters.
struct SuperBlock {
  Groups groups;
  Halves wx[kWidth];    ///< error weights times values
  Floats likely_scale;  ///< of each sub-block
  float unit;           ///< what values were divided by; 0 if all are zeros
  float xx;             ///< sum w x^2
};

/// Null counts as all ones.
void load_importance(const float* importance, Importance& loaded) noexcept;

/// Makes a super-block ready, but for a unit of 0.
void load_values(const float* x, const Importance& importance, SuperBlock& block) noexcept;

}  // namespace sluice::inline SLUICE_ISA::iq1_m
