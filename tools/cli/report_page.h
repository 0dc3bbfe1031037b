#pragma once

#include <span>

#include "html_page.h"
#include "report_file.h"

namespace sluice::cli {

/// One page about one run, or about several: what was made, what it took, errors, sizes, history.
Page report_page(std::span<const ReportedRun> runs);

}  // namespace sluice::cli
