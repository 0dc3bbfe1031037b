#pragma once

#include "sluice/quantize.h"

namespace sluice::cli {

/// How a plan is shown.
struct PlanArguments {
  bool json = false;
  bool no_estimate = false;
  bool no_measuring = false;  ///< see ForecastOptions::choose
};

/// Prints what `quantize` would do, what that needs and how long it takes, as a table or as JSON.
/// Writes nothing else.
/// \throws Error
void run_plan(const QuantizeOptions& options, const PlanArguments& arguments);

}  // namespace sluice::cli
