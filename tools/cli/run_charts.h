#pragma once

#include <span>
#include <string>
#include <vector>

#include "report_file.h"

namespace sluice::cli {

/// Types by falling bytes over all runs: the order of their colours.
std::vector<std::string> types_by_size(std::span<const ReportedRun> runs);

/// The colours of types.
std::string type_legend(std::span<const std::string> types);

/// The largest size of a kind of tensors in any of the runs, for a common scale.
double largest_kind(std::span<const ReportedRun> runs);

/// Bytes of each kind of tensor, divided by type.
std::string size_by_kind(const ReportedRun& run, std::span<const std::string> types, double most,
                         const std::string& title);

/// The largest rate in any of the runs' histories, bytes a second.
double largest_rate(std::span<const ReportedRun> runs);

/// Reading and writing over time, and what the run waited for.
std::string throughput(const ReportedRun& run, double most, const std::string& title);

/// Lines and colours of the picture above.
std::string throughput_legend();

}  // namespace sluice::cli
