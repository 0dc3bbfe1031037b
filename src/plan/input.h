#pragma once

#include <cstdint>
#include <string>

#include "plan/plan.h"
#include "weights/bands.h"

namespace sluice {

/// Fills in what is to be known of a tensor's input: size, part, coding, and how it passes.
/// \pre name, shape, source and type are there
void describe_input(const weights::Weights& weights, const weights::Source& source,
                    PlannedTensor& tensor);

/// How the tensor is to be read.
/// \param source  outlives what is returned
weights::Wanted wanted_of(const PlannedTensor& tensor, const weights::Source& source);

/// Fills in what the bands come to in which the plan's tensors are read.
void measure_bands(Plan& plan);

}  // namespace sluice
