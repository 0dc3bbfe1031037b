#include "linear/delta_rule.h"

#include "linear/kernels.h"

namespace sluice::linear {

void delta_step(const DeltaStep& step, float* state, float* values, std::size_t columns, Isa isa) {
  kernels(isa).delta_step(step, state, values, columns);
}

}  // namespace sluice::linear
