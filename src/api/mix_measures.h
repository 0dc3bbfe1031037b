#pragma once

#include <string>
#include <vector>

#include "api/prepared.h"
#include "measure/measurements.h"
#include "measure/request.h"
#include "sluice/mix.h"

namespace sluice {

/// Measures what the file does not hold.
measure::Measurements measured(const QuantizeOptions& options, const Prepared& planned,
                               std::vector<measure::Subject> subjects, Observer& observer);

/// With what it is measured, in words.
std::string measured_with(const QuantizeOptions& options, const Prepared& planned);

}  // namespace sluice
