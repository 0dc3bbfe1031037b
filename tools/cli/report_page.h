#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "html_page.h"

namespace sluice::cli {

/// A run, as read_report reads it.
struct ReportedRun {
  std::string file;  ///< of the report
  nlohmann::json report;
};

/// One page about one run, or about several: what was made, what it took, errors, sizes, history.
Page report_page(std::span<const ReportedRun> runs);

}  // namespace sluice::cli
