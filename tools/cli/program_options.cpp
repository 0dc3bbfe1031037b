#include "program_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "command_facts.h"
#include "help_topics.h"
#include "sluice/error.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Kind = OptionKind;
using Heading = OptionTopic;

constexpr unsigned kForAll = kForQuantize | kForPlan | kForVerify | kForCompare | kForImatrix |
                             kForRecipe | kForInspect | kForReport | kForDemo | kForProgram;

// Writes into a member of Arguments, or into a member of that member.
template <auto... Path>
void into(Arguments& arguments, const std::string& value) {
  auto& to = (arguments.*....*Path);
  if constexpr (std::is_same_v<decltype(to), bool&>) {
    if (value != "true" && value != "false") {
      throw Error(ErrorCode::usage, "it takes no value", {.cure = "Write it without"});
    }
    to = value == "true";
  } else if constexpr (std::is_same_v<decltype(to), std::string&>) {
    to = value;
  } else {
    to.push_back(value);
  }
}

void set_max_error(Arguments& arguments, const std::string& value) {
  double bound = 0;
  const char* const last = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), last, bound);
  // No error is above a bound that is no number.
  if (error != std::errc() || end != last || !std::isfinite(bound) || bound < 0) {
    throw Error(ErrorCode::usage, "needs a number from 0 on, as 0.01");
  }
  arguments.compare.max_error = bound;
}

// Commands and topics. No other word is refused here, since one that is near deserves an answer.
std::string_view help_words() {
  static const std::string kWords = [] {
    std::string words = fmt::format("{}", fmt::join(command_names(), "|"));
    for (const Topic& topic : help_topics()) words += "|" + topic.name;
    return words;
  }();
  return kWords;
}

constexpr Option flag(std::string_view name, std::string_view help, Heading topic,
                      unsigned commands) {
  return {.name = name, .help = help, .topic = topic, .commands = commands};
}

constexpr Option file(std::string_view name, std::string_view help, unsigned commands) {
  return {.name = name,
          .kind = Kind::file,
          .value = "FILE",
          .help = help,
          .topic = Heading::output,
          .commands = commands};
}

constexpr Option pattern(std::string_view name, Kind kind, std::string_view value,
                         std::string_view help) {
  return {.name = name,
          .kind = kind,
          .value = value,
          .help = help,
          .commands = kForInspect,
          .repeats = true};
}

constexpr Option place(std::string_view name, Kind kind, std::string_view value,
                       std::string_view help, unsigned command) {
  return {.name = name,
          .kind = kind,
          .value = value,
          .help = help,
          .topic = Heading::arguments,
          .commands = command,
          .position = name,
          .required = true};
}

constexpr Option kShell =
    place("shell", Kind::choice, "bash|zsh|fish", "Which shell", kForCompletion);

void set_shell(Arguments& arguments, const std::string& value) {
  const auto shells = choices_of(kShell);
  if (std::ranges::find(shells, value) == shells.end()) {
    throw Error(ErrorCode::usage, fmt::format("there is no completion for '{}', but for {}",
                                              printable(value), fmt::join(shells, ", ")));
  }
  arguments.text.shell = value;
}

constexpr Option optional(Option option, std::string_view default_value = "") {
  option.required = false;
  option.default_value = default_value;
  return option;
}

constexpr Option with_letter(std::string_view letter, Option option) {
  option.letter = letter;
  return option;
}

constexpr Option required(Option option) {
  option.required = true;
  return option;
}

constexpr Option repeated(Option option) {
  option.repeats = true;
  return option;
}

}  // namespace

std::span<const ProgramOption> program_options() {
  using A = Arguments;
  using Inspect = InspectArguments;
  static const ProgramOption kOptions[] = {
      {place("file", Kind::file, "FILE",
             "GGUF file, or a checkpoint's folder; or any part of either, or a URL", kForInspect),
       into<&A::inspect, &Inspect::file>},
      {repeated(
           place("reports", Kind::file, "FILE",
                 "JSON files that 'quantize --report' wrote; several are shown side by side; or "
                 "one that 'recipe --json' wrote",
                 kForReport)),
       into<&A::report_page, &ReportArguments::reports>},
      {optional(place("folder", Kind::folder, "FOLDER", "Where to put its files", kForDemo),
                "sluice-demo"),
       into<&A::demo_folder>},
      {kShell, set_shell},
      {optional(place("topic", Kind::choice, help_words(),
                      "A command, or one of the topics that are listed without", kForHelp)),
       into<&A::text, &TextArguments::topic>},

      {flag("no-estimate", "Do not measure disk and cores to tell how long it would take",
            Heading::general, kForPlan),
       into<&A::plan, &PlanArguments::no_estimate>},
      {flag("no-measuring",
            "For a size: guess types instead of measuring what they do, and tell how long that "
            "would take",
            Heading::general, kForPlan),
       into<&A::plan, &PlanArguments::no_measuring>},
      {pattern("key", Kind::text, "TEXT",
               "Show metadata whose key fits this shell pattern, as in 'general.*'; may be given "
               "again"),
       into<&A::inspect, &Inspect::keys>},
      {pattern("tensor", Kind::text, "TEXT",
               "Show tensors whose name fits this shell pattern, as in 'blk.0.*'; may be given "
               "again"),
       into<&A::inspect, &Inspect::tensors>},
      {pattern("type", Kind::tensor_type, "TYPE",
               "Show tensors of this type, as in iq1_m; may be given again"),
       into<&A::inspect, &Inspect::types>},
      {flag("regex", "Patterns are regular expressions, for any part of the name", Heading::general,
            kForInspect),
       into<&A::inspect, &Inspect::regex>},
      {flag("full", "Show long values whole", Heading::general, kForInspect),
       into<&A::inspect, &Inspect::full>},
      {{.name = "max-error",
        .kind = Kind::number,
        .value = "X",
        .help = "Exit with 1 if a tensor has a larger relative squared error, or NaN",
        .commands = kForCompare},
       set_max_error},
      {flag("man", "Print the manual page, for man", Heading::general, kForHelp),
       into<&A::text, &TextArguments::man>},
      {flag("markdown", "Print the tables of all options that OPTIONS.md has", Heading::general,
            kForHelp),
       into<&A::text, &TextArguments::markdown>},

      {{.name = "dry-run",
        .help = "Show what would be done, without doing it",
        .topic = Heading::safety,
        .commands = kForQuantize | kForPlan,
        .llama_cpp = "dry-run",
        .ik_llama_cpp = "dry-run"},
       into<&A::dry_run>},

      {with_letter("h", flag("help", "Print this help message and exit", Heading::output,
                             kForAll | kForCompletion | kForHelp)),
       nullptr},
      {flag("version", "Display program version information and exit", Heading::output,
            kForProgram),
       nullptr},
      {file("report", "Write what was done, with each tensor's error, to this JSON file",
            kForQuantize),
       into<&A::report>},
      {file("report", "Write findings, and each tensor's error and CRC-32, to this JSON file",
            kForVerify),
       into<&A::report>},
      {file("measured",
            "Show files beside a choice's: lines of bytes, measured divergence and name",
            kForReport),
       into<&A::report_page, &ReportArguments::measured>},
      {with_letter("o", file("output", "File of rules to make (default: to stdout)", kForRecipe)),
       into<&A::recipe, &RecipeArguments::output>},
      {file("html", "Make a page to look at of the choice, in this file", kForRecipe),
       into<&A::recipe, &RecipeArguments::page>},
      {flag("json", "What was chosen and could have been as JSON, in place of rules",
            Heading::output, kForRecipe),
       into<&A::recipe, &RecipeArguments::json>},
      {required(with_letter("o", file("output", "HTML page to make", kForReport))),
       into<&A::report_page, &ReportArguments::page>},
      {file("html", "Write a page to look at to this file", kForCompare),
       into<&A::compare, &CompareArguments::page>},
      {file("html", "Make a page to look at of it, in this file", kForInspect),
       into<&A::inspect, &Inspect::page>},
      {flag("json", "As JSON", Heading::output, kForPlan), into<&A::plan, &PlanArguments::json>},
      {flag("json", "As JSON", Heading::output, kForInspect), into<&A::inspect, &Inspect::json>},
      {flag("json", "As JSON", Heading::output, kForCompare),
       into<&A::compare, &CompareArguments::json>},
      {flag("json", "As JSON", Heading::output, kForImatrix),
       into<&A::imatrix, &ImatrixArguments::json>},
      {with_letter("q", flag("quiet", "Print nothing but errors and what was asked for",
                             Heading::output, kForAll)),
       into<&A::console, &ConsoleOptions::quiet>},
      {file("log-file", "Add all that is said, with the time, to this file, when quiet too",
            kForAll),
       into<&A::console, &ConsoleOptions::log_file>},
  };
  return kOptions;
}

}  // namespace sluice::cli
