#pragma once

#include <chrono>

#include "api/prepared.h"
#include "sluice/observer.h"

namespace sluice {

/// What a run is to do: version, names, type, the output's files.
RunReport report_of_task(const QuantizeOptions& options, const Prepared& prepared,
                         std::chrono::system_clock::time_point began);

/// Of a run that finds its work done.
void report_nothing_done(const Plan& plan, RunReport& report);

}  // namespace sluice
