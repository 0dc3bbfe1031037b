#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

struct ReportArguments {
  std::vector<std::string> reports;  ///< JSON files
  std::string measured;              ///< table of files to show beside a choice; empty: none
  std::string page;                  ///< HTML file to write
};

/// Makes a page of one report, of several side by side, or of a choice of types for a size.
/// \throws Error (usage, input_open, input_format, output_open, output_write)
void run_report(const ReportArguments& arguments);

}  // namespace sluice::cli
