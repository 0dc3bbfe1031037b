#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <new>
#include <system_error>

#include "arguments.h"
#include "compare_command.h"
#include "console.h"
#include "demo_model.h"
#include "imatrix_command.h"
#include "inspect_command.h"
#include "plan_command.h"
#include "progress.h"
#include "recipe_command.h"
#include "report_command.h"
#include "reports.h"
#include "side_files.h"
#include "sluice/codec.h"
#include "sluice/error.h"
#include "sluice/json.h"
#include "sluice/mix.h"
#include "sluice/quantize.h"
#include "sluice/urls.h"
#include "stop.h"
#include "text.h"
#include "text_command.h"
#include "verify_command.h"

namespace {

using namespace sluice;
using namespace sluice::cli;

void run_quantize(const Arguments& arguments) {
  QuantizeOptions options = arguments.options;
  options.measure_error = !arguments.report.empty();
  catch_stop_signals();
  ProgressDisplay display;
  RunReport report = quantize(options, display);
  report.command = arguments.command_line;
  display.end();
  if (report.tensors.empty()) return;  // nothing was done
  // Before the summary: a reader of that may be gone.
  if (!arguments.report.empty()) write_text(to_json(report), arguments.report);
  print_summary(report);
}

void run_demo(const Arguments& arguments) {
  const DemoFiles files = write_demo_model(arguments.demo_folder);
  console::summary(fmt::format("made {} and {}", files.model, files.imatrix));
  Arguments quantize_it;
  quantize_it.command_line = arguments.command_line;
  quantize_it.options.memory_of_process = true;
  quantize_it.options.stop = &stop_requested();
  quantize_it.options.input = files.model;
  quantize_it.options.imatrix = files.imatrix;
  quantize_it.options.output = arguments.demo_folder + "/demo-IQ1_M.gguf";
  quantize_it.options.file_type = find_file_type("IQ1_M");
  run_quantize(quantize_it);
}

// A program that was built for the machine that it was built on may have come to another.
void check_machine() {
  if (!supported_isas().empty()) return;
  throw Error(ErrorCode::usage, "built for another machine: no kernels in it run on this one",
              {.cure = "Build it here, or for all machines with -DSLUICE_KERNELS=all"});
}

// Whether something that was measured for a size is kept.
bool has_measured(const Arguments& arguments) {
  const bool recipe = arguments.command == Command::recipe;
  const QuantizeOptions& options = recipe ? arguments.recipe.options : arguments.options;
  std::error_code ignored;
  return options.target.given() && std::filesystem::exists(measurements_file(options), ignored);
}

// Whether the same command goes on where this run ended.
bool can_go_on(const Arguments& arguments, ErrorCode code) {
  if (code == ErrorCode::interrupted && has_measured(arguments)) return true;
  QuantizeOptions output = arguments.options;
  std::string left = ".journal";
  if (arguments.command == Command::imatrix) {
    output.output = arguments.imatrix.options.output;
    left = ".state";
  }
  std::error_code ignored;
  return (arguments.command == Command::quantize || arguments.command == Command::imatrix) &&
         (code == ErrorCode::interrupted || code == ErrorCode::output_no_space ||
          code == ErrorCode::output_write || code == ErrorCode::input_read) &&
         std::filesystem::exists(working_file(output) + left, ignored);
}

// Whether model and output may have been named in the wrong order.
bool may_be_exchanged(const Arguments& arguments, ErrorCode code) {
  std::error_code ignored;
  return (arguments.command == Command::quantize || arguments.command == Command::plan) &&
         code == ErrorCode::input_open && !is_url(arguments.options.input) &&
         !std::filesystem::exists(arguments.options.input, ignored) &&
         std::filesystem::exists(arguments.options.output, ignored);
}

}  // namespace

int main(int argc, char** argv) {
  lift_limits();
  Parsed parsed;
  const auto ended = [](int status) {
    console::log(fmt::format("exit status {}", status));
    return status;
  };
  try {
    check_machine();
    parsed = parse_arguments(argc, argv);
    if (!parsed.run) return parsed.exit_status;
    check_files(parsed.arguments);
    console::begin(parsed.arguments.console, parsed.arguments.command_line);
    switch (parsed.arguments.command) {
      case Command::quantize:
        run_quantize(parsed.arguments);
        break;
      case Command::plan:
        run_plan(parsed.arguments.options, parsed.arguments.plan);
        if (!parsed.arguments.report.empty()) console::note("a dry run writes no --report");
        break;
      case Command::verify:
        return ended(run_verify(parsed.arguments.verify, parsed.arguments.report));
      case Command::inspect:
        run_inspect(parsed.arguments.inspect);
        break;
      case Command::compare:
        return ended(run_compare(parsed.arguments.compare));
      case Command::imatrix:
        run_imatrix(parsed.arguments.imatrix);
        break;
      case Command::recipe:
        run_recipe(parsed.arguments.recipe);
        break;
      case Command::report:
        run_report(parsed.arguments.report_page);
        break;
      case Command::demo:
        run_demo(parsed.arguments);
        break;
      case Command::help:
        return run_help(parsed.arguments.text);
      case Command::completion:
        run_completion(parsed.arguments.text);
        break;
    }
    console::flush_results();
    return ended(0);
  } catch (const Error& error) {
    console::error(error.what());
    if (can_go_on(parsed.arguments, error.code())) {
      console::hint(fmt::format("to go on: {}", printable(parsed.arguments.command_line)));
    }
    if (may_be_exchanged(parsed.arguments, error.code())) {
      console::hint(
          "The output is there: the model stands before it, as in 'sluice quantize MODEL "
          "OUTPUT TYPE'");
    }
    return ended(exit_status(error.code()));
  } catch (const std::bad_alloc&) {
    console::error("out of memory. Lower --memory or use fewer threads");
    return ended(exit_status(ErrorCode::memory_budget));
  } catch (const std::exception& error) {
    console::error(error.what());
    return ended(exit_status(ErrorCode::output_write));
  }
}
