#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "html_page.h"
#include "report_file.h"

namespace sluice::cli {

using Runs = std::span<const ReportedRun>;

/// A text of a report; empty if it lacks that.
std::string text_in(const nlohmann::json& report, const char* key);
/// The same for a number.
std::optional<double> number_in(const nlohmann::json& report, const char* key);

/// Total error, size, time and what limited the runs, which are called by their labels where there
/// are several.
std::vector<KeyFigure> figures_of(Runs runs, const std::vector<std::string>& labels);

/// Which of several runs is better at what, in a line.
std::string verdict(Runs runs, const std::vector<std::string>& labels);

}  // namespace sluice::cli
