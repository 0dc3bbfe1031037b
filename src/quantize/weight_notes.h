#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "quantize/encoding_findings.h"
#include "sluice/observer.h"

namespace sluice {

/// Sentences on what a run has met in the weights: those beyond their type's range, and tensors
/// that are all zeros.
/// \param reports  one for each of the plan's tensors, so far
std::vector<std::string> weight_notes(const Plan& plan, std::span<const TensorReport> reports,
                                      const EncodingFindings& found);

}  // namespace sluice
