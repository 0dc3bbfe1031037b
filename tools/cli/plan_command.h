#pragma once

#include <CLI/CLI.hpp>

#include "sluice/quantize.h"

namespace sluice::cli {

/// How a plan is shown.
struct PlanArguments {
  bool json = false;
  bool no_estimate = false;
};

/// What `plan` takes beyond the arguments of `quantize`.
void add_plan_arguments(CLI::App& command, PlanArguments& arguments);

/// Prints what `quantize` would do, what that needs and how long it takes, as a table or as JSON.
/// Writes nothing else.
/// \throws Error
void run_plan(const QuantizeOptions& options, const PlanArguments& arguments);

}  // namespace sluice::cli
