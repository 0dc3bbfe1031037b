#pragma once

#include <span>
#include <string>

#include "report_file.h"

namespace sluice::cli {

/// One page about one run, or about several side by side: what they took, the error of each tensor
/// by layer, sizes by kind of tensor, throughput over time.
std::string report_page(std::span<const ReportedRun> runs);

}  // namespace sluice::cli
