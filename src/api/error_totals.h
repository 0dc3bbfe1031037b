#pragma once

#include "sluice/compare.h"
#include "sluice/observer.h"

namespace sluice {

/// Adds up the errors of the quantized tensors, and finds the worst of them.
void sum_errors(RunReport& report);

/// Adds up the differences of the tensors that are not the same, and finds the worst of them.
void sum_errors(Comparison& comparison);

}  // namespace sluice
