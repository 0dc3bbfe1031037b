#include "arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <vector>

#include "sluice/error.h"
#include "sluice/version.h"
#include "suggest.h"
#include "text_commands.h"

namespace sluice::cli {
namespace {

// Arguments as typed, before names are looked up.
struct Typed {
  std::string type;
  std::string mix = "llama.cpp";
  std::string io = "auto";
  std::string spindle = "auto";
  std::string isa = "auto";
  std::string effort = "best";
};

std::string type_names() {
  std::string names;
  for (const FileType& type : file_types())
    names += (names.empty() ? "" : " ") + std::string(type.name);
  return names;
}

std::string unknown_type(const std::string& typed) {
  std::vector<std::string> names;
  for (const FileType& type : file_types()) names.emplace_back(type.name);
  const std::string meant = suggestion(typed, names);
  return fmt::format("'{}' is not a known type{} Known: {}", typed, meant.empty() ? "." : meant,
                     type_names());
}

void add_conversion_arguments(CLI::App& command, Arguments& arguments, Typed& typed) {
  QuantizeOptions& options = arguments.options;
  command.add_option("model", options.input, "16-bit GGUF file, or any part of a split one")
      ->required();
  command.add_option("output", options.output, "GGUF file to make")->required();
  command.add_option("type", typed.type, "What to make of it: " + type_names())->required();
  command.add_option("nthreads", options.threads, "Compute threads (default: one a core)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--imatrix", options.imatrix,
                     "Importance matrix, as .dat or .gguf; very-low-bit types need one");
  command.add_flag("--ignore-imatrix-rules", options.ignore_imatrix_rules,
                   "Make very-low-bit tensors even without importance values");
  command.add_option("--mix", typed.mix, "Whose rules choose the tensors' types")
      ->check(CLI::IsMember({"llama.cpp", "ik_llama.cpp"}))
      ->capture_default_str();
  command.add_flag("--pure", options.pure, "One type for all tensors");
  command.add_flag("--allow-requantize", options.allow_requantize,
                   "Accept a source that is already quantized below 8 bits");
  command
      .add_option("--memory", options.memory,
                  "Byte budget for input, scratch and output together, as 128M or 2G (default: "
                  "512M)")
      ->transform(CLI::AsSizeValue(false));
  command.add_option("--io", typed.io, "How to read: auto, mmap, async (io_uring) or read")
      ->check(CLI::IsMember({"auto", "mmap", "async", "read"}))
      ->capture_default_str();
  command
      .add_option("--spindle", typed.spindle,
                  "Whether input and output share a hard disk: auto, shared (reads and writes take "
                  "turns) or separate")
      ->check(CLI::IsMember({"auto", "shared", "separate"}))
      ->capture_default_str();
  command.add_option("--effort", typed.effort, "How hard to search for small errors: fast or best")
      ->check(CLI::IsMember({"fast", "best"}))
      ->capture_default_str();
  command
      .add_option(
          "--isa", typed.isa,
          "Instruction set of the kernels: auto, avx512, avx2 or portable; the output is the "
          "same")
      ->envname("SLUICE_ISA")
      ->check(CLI::IsMember({"auto", "avx512", "avx2", "portable"}))
      ->capture_default_str();
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
      ->transform(CLI::AsSizeValue(false));
  command.add_option("--report", arguments.report,
                     "Write findings, and each tensor's error and CRC-32, to this JSON file");
}

void resolve(const Typed& typed, QuantizeOptions& options) {
  static const std::map<std::string, IoMode> kModes = {{"auto", IoMode::automatic},
                                                       {"mmap", IoMode::mmap},
                                                       {"async", IoMode::async},
                                                       {"read", IoMode::plain}};
  options.io = kModes.at(typed.io);
  static const std::map<std::string, Spindle> kSpindles = {
      {"auto", Spindle::automatic}, {"shared", Spindle::shared}, {"separate", Spindle::separate}};
  options.spindle = kSpindles.at(typed.spindle);
  options.mix = typed.mix == "llama.cpp" ? Mix::llama_cpp : Mix::ik_llama_cpp;
  options.effort = typed.effort == "fast" ? Effort::fast : Effort::best;
  if (typed.isa != "auto") {
    const std::vector<Isa> isas = supported_isas();
    const auto isa =
        std::find_if(isas.begin(), isas.end(), [&](Isa each) { return name(each) == typed.isa; });
    if (isa == isas.end()) {
      throw CLI::ValidationError("--isa", "this machine has no " + typed.isa);
    }
    options.isa = *isa;
  }
  options.file_type = find_file_type(typed.type);
  if (options.file_type == nullptr) {
    throw CLI::ValidationError("type", unknown_type(typed.type));
  }
}

}  // namespace

Parsed parse_arguments(int argc, char** argv) {
  Parsed parsed;
  Typed typed;
  Arguments& arguments = parsed.arguments;

  CLI::App app(
      "sluice makes very small GGUF models from 16-bit checkpoints that may be far larger than "
      "memory.",
      "sluice");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("sluice ") + std::string(version()));

  CLI::App* quantize = app.add_subcommand("quantize", "Quantize a model");
  add_conversion_arguments(*quantize, arguments, typed);
  quantize->add_option("--report", arguments.report,
                       "Write what was done, with each tensor's error, to this JSON file");

  quantize->add_option("--trace", arguments.options.trace,
                       "Write what happened when, as a Chrome trace, to this file");
  quantize
      ->add_option("--checkpoint", arguments.options.checkpoint_s,
                   "Seconds of work that may have to be done again after a crash")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  quantize->add_flag("--restart", arguments.options.restart,
                     "Begin anew even if an earlier run left something to go on with");
  quantize->add_flag("--verify-resume", arguments.options.verify_resume,
                     "Check what an earlier run has made before going on");
  quantize->add_flag("--verify", arguments.options.verify,
                     "Check each chunk against its source before it is written");

  CLI::App* plan = app.add_subcommand("plan", "Show what quantize would do, without doing it");
  add_conversion_arguments(*plan, arguments, typed);
  plan->add_flag("--json", arguments.json, "As JSON");

  CLI::App* verify = app.add_subcommand("verify", "Check a model, alone or against its source");
  add_verify_arguments(*verify, arguments);

  CLI::App* demo = app.add_subcommand("demo", "Make a small model and quantize it to IQ1_M");
  arguments.demo_folder = "sluice-demo";
  demo->add_option("folder", arguments.demo_folder, "Where to put its files")
      ->capture_default_str();
  const TextCommands texts(app, arguments.console);  // after all other commands

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
    } else {
      arguments.command = *plan ? Command::plan : Command::quantize;
      resolve(typed, arguments.options);
    }
    parsed.run = true;
  } catch (const CLI::ParseError& error) {
    parsed.exit_status = texts.answer(app, error);
  }
  return parsed;
}

}  // namespace sluice::cli
