#pragma once

// How calibrated tensors are encoded, where it is no option: measured on trained models, see
// bench/notes.

namespace sluice::calibrate {

/// So much of the mean diagonal is added to the diagonal of second moments: what the text did not
/// show is not free of cost.
inline constexpr float kDamping = 0.1f;

/// feedback::Settings::sweeps with Effort::best; with Effort::fast there are none.
inline constexpr int kSweeps = 2;

/// feedback::Settings::bias_correction.
inline constexpr float kFeedbackBiasCorrection = 1.5f;

}  // namespace sluice::calibrate
