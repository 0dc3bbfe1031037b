#include "linear/kernels/delta_step.h"

#include <cstring>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

void delta_step(const linear::DeltaStep& step, float* state, float* values,
                std::size_t columns) noexcept {
  using simd::Floats;
  static_assert(linear::kStateColumns == Floats::kLanes);
  float wanted[Floats::kLanes] = {};
  std::memcpy(wanted, values, columns * sizeof(float));
  // The state that is multiplied by `decay` is not written between both passes: it is the same again.
  Floats known(0.0f);
  for (std::size_t i = 0; i < step.depth; ++i) {
    const Floats row = Floats::load(state + i * Floats::kLanes) * step.decay;
    known = fused_multiply_add(Floats(step.key[i]), row, known);
  }
  const Floats lacking = (Floats::load(wanted) - known) * step.rate;
  Floats sums(0.0f);
  for (std::size_t i = 0; i < step.depth; ++i) {
    float* const at = state + i * Floats::kLanes;
    const Floats row =
        fused_multiply_add(Floats(step.key[i]), lacking, Floats::load(at) * step.decay);
    row.store(at);
    sums = fused_multiply_add(Floats(step.query[i]), row, sums);
  }
  sums.store(wanted);
  std::memcpy(values, wanted, columns * sizeof(float));
}

}  // namespace sluice::inline SLUICE_ISA
