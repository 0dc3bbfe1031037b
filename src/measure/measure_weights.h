#pragma once

#include "measure/measurements.h"
#include "measure/request.h"
#include "sluice/observer.h"

namespace sluice::measure {

/// What each type does to each tensor, found without running the model: encodes sampled rows and
/// reckons what their errors come to under the importance matrix. What the file of measurements
/// holds already is not measured again, and what is measured is kept there as it goes on, so that a
/// run that is cut off goes on where it was. The same numbers whatever the threads, the memory and the
/// instruction set.
/// \throws Error (input_read, input_truncated, input_value, memory_budget, output_*, interrupted)
Measurements measure_weights(const Request& request, Observer& observer);

}  // namespace sluice::measure
