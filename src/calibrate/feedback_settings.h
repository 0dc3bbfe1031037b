#pragma once

#include "feedback/feedback.h"
#include "sluice/codec.h"
#include "sluice/tensor_type.h"

// How calibrated tensors are encoded, where it is no option: measured on trained models, see
// bench/notes.

namespace sluice::calibrate {

/// So much of the mean diagonal is added to the diagonal of second moments: what the text did not
/// show is not free of cost.
inline constexpr float kDamping = 0.1f;

inline feedback::Settings feedback_settings(TensorType type, Effort effort, Isa isa) {
  return {.type = type, .effort = effort, .sweeps = effort == Effort::best ? 2 : 0, .isa = isa};
}

}  // namespace sluice::calibrate
