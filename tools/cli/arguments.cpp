#include "arguments.h"

#include <CLI/CLI.hpp>

#include "conversion_arguments.h"
#include "sluice/error.h"
#include "sluice/version.h"
#include "suggest.h"
#include "text_commands.h"
#include "validators.h"

namespace sluice::cli {
namespace {

// Of an option that is given again the last value counts, as in llama-quantize.
void let_last_value_count(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (!option->get_positional() && option->get_items_expected_max() == 1) {
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }
}

void add_verify_arguments(CLI::App& command, Arguments& arguments) {
  VerifyOptions& options = arguments.verify;
  command.add_option("output", options.output, "GGUF file to check, or any part of a split one")
      ->required();
  command.add_option("--against", options.against,
                     "What it was made from: every block is compared");
  command.add_option("--imatrix", options.imatrix,
                     "The importance matrix it was made with, which says what errors are right");
  command.add_option("--threads", options.threads, "Threads (default: one a core)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--memory", options.memory, "Byte budget for all buffers (default: 512M)")
      ->transform(CLI::AsSizeValue(false))
      ->transform(begins_with_digit());
  command.add_option("--report", arguments.report,
                     "Write findings, and each tensor's error and CRC-32, to this JSON file");
}

}  // namespace

Parsed parse_arguments(int argc, char** argv) {
  Parsed parsed;
  ConversionArguments conversion;
  Arguments& arguments = parsed.arguments;

  CLI::App app(
      "sluice makes very small GGUF models from 16-bit checkpoints that may be far larger than "
      "memory.",
      "sluice");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("sluice ") + std::string(version()));

  CLI::App* quantize = app.add_subcommand("quantize", "Quantize a model");
  conversion.add_to(*quantize, arguments.options);
  quantize->add_option("--report", arguments.report,
                       "Write what was done, with each tensor's error, to this JSON file");

  quantize->add_option("--trace", arguments.options.trace,
                       "Write what happened when, as a Chrome trace, to this file");
  quantize
      ->add_option("--checkpoint", arguments.options.checkpoint_s,
                   "Seconds of work that may have to be done again after a crash")
      ->check(CLI::Range(0.0, 3600.0))
      ->check(begins_with_digit())
      ->capture_default_str();
  quantize->add_flag("--restart", arguments.options.restart,
                     "Begin anew even if an earlier run left something to go on with");
  quantize->add_flag("--verify-resume", arguments.options.verify_resume,
                     "Check what an earlier run has made before going on");
  quantize->add_flag("--verify", arguments.options.verify,
                     "Check each chunk against its source before it is written");

  CLI::App* plan = app.add_subcommand("plan", "Show what quantize would do, without doing it");
  conversion.add_to(*plan, arguments.options);
  add_plan_arguments(*plan, arguments.plan);

  CLI::App* verify = app.add_subcommand("verify", "Check a model, alone or against its source");
  add_verify_arguments(*verify, arguments);

  CLI::App* inspect = app.add_subcommand("inspect", "Show what a GGUF file holds");
  add_inspect_arguments(*inspect, arguments.inspect);

  CLI::App* compare = app.add_subcommand("compare", "Measure how far one model is from another");
  add_compare_arguments(*compare, arguments.compare);

  CLI::App* report = app.add_subcommand("report", "Make a page of quantize's reports");
  add_report_arguments(*report, arguments.report_page);

  CLI::App* demo = app.add_subcommand("demo", "Make a small model and quantize it to IQ1_M");
  arguments.demo_folder = "sluice-demo";
  demo->add_option("folder", arguments.demo_folder, "Where to put its files")
      ->capture_default_str();
  const TextCommands texts(app, arguments.console);  // after all other commands
  for (CLI::App* command : {quantize, plan}) let_last_value_count(*command);

  try {
    app.parse(argc, argv);
    if (const int status = texts.print(app); status >= 0) {
      parsed.exit_status = status;
      return parsed;
    }
    if (*demo) {
      arguments.command = Command::demo;
    } else if (*verify) {
      arguments.command = Command::verify;
    } else if (*inspect) {
      arguments.command = Command::inspect;
    } else if (*compare) {
      arguments.command = Command::compare;
    } else if (*report) {
      arguments.command = Command::report;
    } else {
      conversion.resolve(*plan ? *plan : *quantize, arguments.options);
      const bool dry = *plan || conversion.dry_run();
      arguments.rule_files = conversion.rule_files();
      arguments.command = dry ? Command::plan : Command::quantize;
    }
    parsed.run = true;
  } catch (const CLI::ParseError& error) {
    parsed.exit_status = texts.answer(app, error);
  }
  return parsed;
}

}  // namespace sluice::cli
