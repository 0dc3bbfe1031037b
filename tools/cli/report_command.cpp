#include "report_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "choice_file.h"
#include "choice_page.h"
#include "html_page.h"
#include "report_file.h"
#include "report_page.h"
#include "sluice/error.h"
#include "text.h"

namespace sluice::cli {
namespace {

Page page_of_choice(const JsonFile& file, const std::string& measured) {
  return choice_page(
      read_choice(file, file.root()), std::filesystem::path(file.path()).stem().string(),
      measured.empty() ? std::vector<MeasuredFile>() : read_measured_files(measured));
}

Page page_of_runs(const std::vector<JsonFile>& files) {
  std::vector<ReportedRun> runs;
  for (const JsonFile& file : files) runs.push_back(read_report(file));
  return report_page(runs);
}

}  // namespace

void run_report(const ReportArguments& arguments) {
  const std::vector<JsonFile> files(arguments.reports.begin(), arguments.reports.end());
  const auto choice = std::ranges::find_if(files, is_choice);
  if (choice != files.end() && files.size() > 1) {
    throw Error(ErrorCode::usage, "a choice of types has a page of its own",
                {.file = choice->path(), .cure = "Name it alone"});
  }
  if (choice == files.end() && !arguments.measured.empty()) {
    throw Error(ErrorCode::usage, "--measured is shown beside a choice of types, and none is named",
                {.cure = "Name the JSON file that 'sluice recipe --json' wrote"});
  }
  write_page(
      choice == files.end() ? page_of_runs(files) : page_of_choice(*choice, arguments.measured),
      arguments.page);
  fmt::print("{}\n", printable(arguments.page));
}

}  // namespace sluice::cli
