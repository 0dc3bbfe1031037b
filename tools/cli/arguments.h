#pragma once

#include <string>
#include <vector>

#include "compare_command.h"
#include "console.h"
#include "imatrix_command.h"
#include "inspect_command.h"
#include "plan_command.h"
#include "recipe_command.h"
#include "report_command.h"
#include "sluice/quantize.h"
#include "sluice/verify.h"
#include "text_command.h"

namespace sluice::cli {

/// Which command was given.
enum class Command {
  quantize,
  plan,
  verify,
  inspect,
  compare,
  imatrix,
  recipe,
  report,
  demo,
  completion,
  help
};

/// The command line, parsed.
struct Arguments {
  Command command = Command::quantize;
  std::string command_line;  ///< what was typed, quoted for a shell
  ConsoleOptions console;
  QuantizeOptions options;
  VerifyOptions verify;
  PlanArguments plan;
  InspectArguments inspect;
  CompareArguments compare;
  ImatrixArguments imatrix;
  RecipeArguments recipe;
  ReportArguments report_page;
  TextArguments text;
  bool dry_run = false;                 ///< quantize: do as plan does
  std::vector<std::string> rule_files;  ///< quantize, plan: what was read for `options`
  std::string report;  ///< quantize, verify: where to write the report; empty: nowhere
  std::string demo_folder = "sluice-demo";  ///< demo: where to put its files
};

/// What parsing came to: arguments, or a text that was all there is to say (help, version, a wrong
/// argument) with the status to exit with.
struct Parsed {
  bool run = false;
  Arguments arguments;
  int exit_status = 0;
};

/// Parses the command line. Help goes to stdout, complaints to stderr.
/// \throws Error, but of wrong use, if a file that says what to do cannot be read
Parsed parse_arguments(int argc, char** argv);

}  // namespace sluice::cli
