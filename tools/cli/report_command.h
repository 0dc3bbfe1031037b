#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

struct ReportArguments {
  std::vector<std::string> reports;  ///< JSON files
  std::string page;                  ///< HTML file to write
};

/// Makes a page of one report, or of several side by side.
/// \throws Error (input_open, input_format, output_open, output_write)
void run_report(const ReportArguments& arguments);

}  // namespace sluice::cli
