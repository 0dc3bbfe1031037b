#include "report_command.h"

#include <fmt/format.h>

#include "html_page.h"
#include "report_file.h"
#include "report_page.h"
#include "text.h"

namespace sluice::cli {

void run_report(const ReportArguments& arguments) {
  std::vector<ReportedRun> runs;
  for (const std::string& report : arguments.reports) runs.push_back(read_report(report));
  write_page(report_page(runs), arguments.page);
  fmt::print("{}\n", printable(arguments.page));
}

}  // namespace sluice::cli
