#pragma once

#include "linear/kernels.h"

namespace sluice::inline SLUICE_ISA {

/// See linear/delta_rule.h; a part of linear_kernels().
void delta_step(const linear::DeltaStep& step, float* state, float* values,
                std::size_t columns) noexcept;

}  // namespace sluice::inline SLUICE_ISA
