#include "arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "command_facts.h"
#include "command_word.h"
#include "complaints.h"
#include "conversion_words.h"
#include "help_text.h"
#include "program_options.h"
#include "sluice/error.h"
#include "sluice/mix.h"
#include "sluice/options.h"
#include "sluice/version.h"
#include "stop.h"
#include "text.h"

namespace sluice::cli {
namespace {

/// An option as the parser has it.
struct Bound {
  const Option* option;
  void (*set)(Arguments&, const std::string&) = nullptr;  ///< null: the library's
};

/// A value that the command line gives.
struct Given {
  Bound bound;
  std::string value;
};

/// The parser, made of the tables. It cuts the command line into options and values; what a value
/// means is for the tables' setters.
class Parser {
 public:
  Parser();

  /// \throws CLI::ParseError
  void parse(std::vector<std::string> words) {
    std::ranges::reverse(words);  // it takes them from the end
    app_.parse(std::move(words));
  }

  /// The command that was given, or null.
  const CommandFacts* command() const;

  /// Options in the order of the command line, those from variables first.
  std::vector<Given> given() const;

  /// An option that the command must have and that was not given, or null.
  const Option* missing() const;

  /// The words that no option and no command takes.
  std::vector<std::string> left() const { return app_.remaining(true); }

 private:
  void add(CLI::App& app, const Option& option, const Bound& bound);

  CLI::App app_;
  std::map<const CLI::Option*, Bound> bound_;
};

bool is_flag(const Option& option) {
  return option.kind == OptionKind::flag;
}

Parser::Parser() : app_(std::string(command_facts().front().description), "sluice") {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", fmt::format("sluice {}", version()));
  for (const CommandFacts& command : command_facts()) {
    CLI::App& app = command.name.empty() ? app_ : *app_.add_subcommand(std::string(command.name));
    for (const ProgramOption& each : program_options()) {
      if (each.set != nullptr && (each.option.commands & command.bit) != 0) {
        add(app, each.option, {&each.option, each.set});
      }
    }
    for (const Option& option : options()) {
      if ((option.commands & command.bit) != 0) add(app, option, {&option});
    }
  }
}

void Parser::add(CLI::App& app, const Option& option, const Bound& bound) {
  const std::string name = option.position.empty()
                               ? fmt::format("{}", fmt::join(names_of(option), ","))
                               : std::string(option.position);
  CLI::Option* added = nullptr;
  if (is_flag(option)) {
    added = app.add_flag(name);
  } else if (option.repeats) {
    added = app.add_option_function<std::vector<std::string>>(name, [](const auto&) {});
    added->allow_extra_args(!option.position.empty());
  } else {
    added = app.add_option_function<std::string>(name, [](const auto&) {});
    // The last value counts, as in llama-quantize.
    if (option.position.empty()) added->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  added->required(option.required)->envname(std::string(option.environment));
  bound_[added] = bound;
}

const CommandFacts* Parser::command() const {
  const std::vector<CLI::App*> parsed = app_.get_subcommands();
  return parsed.empty() ? nullptr : find_command(parsed.front()->get_name());
}

const Option* Parser::missing() const {
  for (const CLI::Option* option : app_.get_subcommands().front()->get_options()) {
    const auto bound = bound_.find(option);
    if (bound != bound_.end() && option->get_required() && option->count() == 0) {
      return bound->second.option;
    }
  }
  return nullptr;
}

std::vector<Given> Parser::given() const {
  std::vector<Given> all;
  std::map<const CLI::Option*, std::size_t> seen;
  const auto take = [&](const CLI::Option* option) {
    const auto bound = bound_.find(option);
    if (bound == bound_.end()) return;
    all.push_back({bound->second, is_flag(*bound->second.option)
                                      ? option->results().back()
                                      : option->results().at(seen[option]++)});
  };
  for (const CLI::App* app :
       {&app_, static_cast<const CLI::App*>(app_.get_subcommands().front())}) {
    const auto& order = app->parse_order();
    for (const CLI::Option* option : app->get_options()) {
      if (option->count() > 0 && std::ranges::find(order, option) == order.end()) take(option);
    }
    for (const CLI::Option* option : order) take(option);
  }
  return all;
}

// Says what is wrong with the command line.
int complain(const std::string& what, const CommandFacts* command) {
  console::error(what);
  console::hint(command == nullptr ? "See 'sluice --help'"
                                   : fmt::format("See 'sluice {} --help'", command->name));
  return exit_status(ErrorCode::usage);
}

// What the parser stopped at: a question for help or version, or a mistake.
int answer(const CLI::ParseError& error, const Parser& parser) {
  const CommandFacts* command = parser.command();
  if (dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr) {
    console::result(command == nullptr ? overview_text(help_layout())
                                       : command_text(*command, help_layout()));
    return 0;
  }
  if (error.get_exit_code() == 0) {  // the version
    console::result(error.what());
    return 0;
  }
  if (const std::string unknown = unknown_word(parser.left(), command); !unknown.empty()) {
    return complain(unknown, command);
  }
  if (command == nullptr) return complain("no command is given", command);
  const std::string what = error.what();
  const std::string name = what.substr(0, what.find(':'));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const Option* option = find_option(*command, name);
    return complain(option == nullptr ? what : missing_value_text(*option, name), command);
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    return complain(fmt::format("{}: it takes no value", name), command);
  }
  const Option* missing = parser.missing();
  return complain(missing == nullptr ? what : missing_text(*command, *missing), command);
}

// Gives all values to what they are for.
void take_values(const std::vector<Given>& given, const CommandFacts& command, Arguments& arguments,
                 Options& options) {
  const bool conversion = (command.bit & (kForQuantize | kForPlan)) != 0;
  std::vector<std::string> words;  // of a conversion, by their places
  for (const auto& [bound, value] : given) {
    const Option& option = *bound.option;
    const std::string name =
        option.position.empty() ? fmt::format("--{}", option.name) : std::string(option.position);
    if (option.position.empty() && option.kind != OptionKind::flag &&
        find_option(command, value) != nullptr) {
      throw Error(ErrorCode::usage, missing_value_text(option, name));
    }
    if (option.kind == OptionKind::file && value == "-") {
      throw Error(ErrorCode::usage,
                  name +
                      ": '-' is no file, and models do not go through pipes: they are read and "
                      "written at many places",
                  {.cure = "Name a file on a disk; one that is called so is ./-"});
    }
    if (bound.set != nullptr) {
      try {
        bound.set(arguments, value);
      } catch (const Error& error) {
        throw Error::about(name, error);
      }
    } else if (conversion && !option.position.empty()) {
      words.push_back(value);
    } else {
      options.set(option.position.empty() ? name : option.name, value);
    }
    if (option.name == "tensor-type-file") arguments.rule_files.push_back(value);
  }
  if (!conversion) return;
  set_conversion_words(std::string(command.name), words, options);
}

constexpr std::array kRuns = {
    std::pair{kForQuantize, Command::quantize},
    std::pair{kForPlan, Command::plan},
    std::pair{kForVerify, Command::verify},
    std::pair{kForInspect, Command::inspect},
    std::pair{kForCompare, Command::compare},
    std::pair{kForImatrix, Command::imatrix},
    std::pair{kForRecipe, Command::recipe},
    std::pair{kForReport, Command::report},
    std::pair{kForDemo, Command::demo},
    std::pair{kForHelp, Command::help},
    std::pair{kForCompletion, Command::completion},
};

// A recipe's measurements are kept beside it.
void keep_beside(RecipeArguments& recipe) {
  if (recipe.output.empty() || !recipe.options.target.measurements.empty()) return;
  QuantizeOptions beside = recipe.options;
  beside.output = recipe.output;
  recipe.options.target.measurements = measurements_file(beside);
}

void fill(const Parser& parser, Arguments& arguments) {
  const CommandFacts& command = *parser.command();
  arguments.command =
      std::ranges::find(kRuns, command.bit, [](const auto& run) { return run.first; })->second;
  Options options;
  options.quantize.memory_of_process = true;
  options.quantize.stop = &stop_requested();
  take_values(parser.given(), command, arguments, options);
  if ((command.bit & (kForQuantize | kForPlan)) != 0) arguments.options = options.for_quantize();
  arguments.verify = options.for_verify();
  arguments.compare.options = options.for_compare();
  arguments.imatrix.options = options.for_imatrix();
  if (command.bit == kForRecipe) {
    arguments.recipe.options = options.for_recipe();
    keep_beside(arguments.recipe);
  }
  if (arguments.dry_run) arguments.command = Command::plan;
}

}  // namespace

Parsed parse_arguments(int argc, char** argv) {
  Parsed parsed;
  if (argc < 2) {
    console::hint(overview_text({console::columns(STDERR_FILENO), false}));
    parsed.exit_status = exit_status(ErrorCode::usage);
    return parsed;
  }
  const std::vector<std::string> words(argv + 1, argv + argc);
  Parser parser;
  try {
    parser.parse(with_command(words));
    fill(parser, parsed.arguments);
    parsed.arguments.command_line = command_line({argv, argv + argc});
    parsed.run = true;
  } catch (const CLI::ParseError& error) {
    parsed.exit_status = answer(error, parser);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    parsed.exit_status = complain(error.what(), parser.command());
  }
  return parsed;
}

}  // namespace sluice::cli
