#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "calibrate/tensor_index.h"
#include "calibrate/treatment.h"
#include "model/network.h"
#include "plan/plan.h"

namespace sluice::calibrate {

/// What is summed of an input.
struct InputPlan {
  std::uint64_t columns = 0;
  bool moments = false;  ///< second moments; else squares alone
};

/// What calibration does for a plan's tensors.
struct CalibrationPlan {
  std::vector<Treatment> treatments;  ///< of each of the plan's tensors
  std::uint64_t bytes = 0;            ///< most that moments, factors and encoding take at once
  std::uint64_t bytes_of_all = 0;     ///< the same, were feedback for all that has a kernel to fit
  /// By the input's first tensor. A run that makes a part of the plan sums alike, for sums of squares
  /// by themselves are not to the last bit those of second moments.
  std::map<std::string, InputPlan> inputs;
  std::vector<std::string> notes;  ///< what gets less than feedback, and why

  bool has_feedback() const;
};

/// Decides which tensors get feedback: matrices that the network multiplies, of a type with a feedback
/// kernel, as far as the second moments of their inputs fit; the largest of what are needed at once
/// give way first. What has no feedback is told mean squares.
/// \param budget         bytes for moments, factors and encoding
/// \param paired_length  of sequences, if there is a second stream; 0: there is none
CalibrationPlan plan_calibration(const Plan& plan, const TensorIndex& index,
                                 const model::Network& network, std::uint64_t budget, int threads,
                                 std::uint64_t paired_length = 0);

}  // namespace sluice::calibrate
