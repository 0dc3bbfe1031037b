#pragma once

#include "linear/kernels.h"

namespace sluice::inline SLUICE_ISA {

/// What is calculated number by number between products; a part of linear_kernels().
const linear::Functions& linear_functions() noexcept;

}  // namespace sluice::inline SLUICE_ISA
