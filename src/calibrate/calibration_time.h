#pragma once

#include <cstdint>
#include <span>

#include "calibrate/calibrated_run.h"
#include "plan/plan.h"
#include "sluice/codec.h"
#include "sluice/gguf.h"

namespace sluice::calibrate {

/// Seconds that all threads together take, if each calculates as fast as one measured for a moment.
struct CalibrationSeconds {
  double forward = 0;   ///< the model's products with its weights
  double moments = 0;   ///< sums of second moments
  double factors = 0;   ///< their factors
  double feedback = 0;  ///< passes and sweeps
};

/// Estimates a calibrated run. Attention's own products and what lies between two matrices are left out: with
/// sequences of some hundred tokens they are little.
/// \param model  with the number of experts, and of those used
/// \param left   weights still to be made of each of the plan's tensors
CalibrationSeconds estimate(const CalibratedModel& calibrated, const gguf::Header& model,
                            const Plan& plan, std::span<const std::uint64_t> left, Effort effort,
                            Isa isa, int cores);

}  // namespace sluice::calibrate
