#pragma once

#include <cstdint>
#include <span>

#include "calibrate/calibrated_run.h"
#include "plan/plan.h"
#include "sluice/codec.h"

namespace sluice::calibrate {

/// Seconds that all threads together take, if each calculates as fast as one measured for a moment.
struct CalibrationTime {
  double forward = 0;              ///< the model's products with its weights
  double moments = 0;              ///< sums of second moments
  double factors = 0;              ///< their factors
  double feedback = 0;             ///< passes and sweeps
  std::uint64_t read_besides = 0;  ///< bytes of weights that are run and not made in their layer
};

/// Estimates a calibrated run. Attention's own products and what lies between two matrices are left out: with
/// sequences of some hundred tokens they are little, and so is the embedding. All layers are run up to the last
/// one that has something to make, whoever makes what the others have.
/// \param left   weights still to be made of each of the plan's tensors
CalibrationTime estimate(const CalibratedModel& calibrated, const Plan& plan,
                         std::span<const std::uint64_t> left, Effort effort, Isa isa, int cores);

}  // namespace sluice::calibrate
