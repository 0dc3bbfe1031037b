#include "arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>
#include <utility>

#include "command_facts.h"
#include "help_text.h"
#include "program_options.h"
#include "sluice/error.h"
#include "sluice/options.h"
#include "sluice/version.h"
#include "stop.h"
#include "suggest.h"
#include "text.h"

namespace sluice::cli {
namespace {

/// An option of a peer that sluice does not have, and what to do instead.
struct Refused {
  const char* option;
  bool has_value;
  const char* instead;
};

constexpr std::array kRefused = {
    Refused{"--repack", false,
            "sluice does not interleave rows. ik_llama.cpp does when it loads the model with -rtr, "
            "and its llama-quantize --repack works on what sluice makes"},
    Refused{"--repack-pattern", true,
            "sluice does not interleave rows. ik_llama.cpp's llama-quantize --repack "
            "--repack-pattern works on what sluice makes"},
    Refused{"--extra-output-tensor", true,
            "sluice adds no second output tensor. Choose the one type with --output-tensor-type"},
    Refused{"--symmetric-q40", false,
            "sluice has one way of making Q4_0, with the whole range. Leave the option out"},
    Refused{"--slow-iq2ks", false, "sluice does not make IQ2_KS. Choose another type, as IQ2_K"},
};

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
  void parse(int argc, char** argv) { app_.parse(argc, argv); }

  /// The command that was given, or null.
  const CommandFacts* command() const;

  /// Options in the order of the command line, those from variables first.
  std::vector<Given> given() const;

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
    if ((command.bit & (kForQuantize | kForPlan)) == 0) continue;
    for (const Refused& refused : kRefused) {
      const auto refuse = [&refused] {
        throw CLI::ValidationError(refused.option, refused.instead);
      };
      refused.has_value ? app.add_option_function<std::string>(
                              refused.option, [refuse](const std::string&) { refuse(); })
                        : app.add_flag_callback(refused.option, refuse);
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

std::vector<Given> Parser::given() const {
  std::vector<Given> all;
  std::map<const CLI::Option*, std::size_t> seen;
  const auto take = [&](const CLI::Option* option) {
    const auto bound = bound_.find(option);
    if (bound == bound_.end()) return;
    if (is_flag(*bound->second.option)) {
      all.push_back({bound->second, option->as<bool>() ? "true" : "false"});
    } else {
      all.push_back({bound->second, option->results().at(seen[option]++)});
    }
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

bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

// What is wrong, if it is a word that no option and no command takes. The parser would rather tell
// that something else is missing, for which the word was meant.
std::string unknown_word(std::vector<std::string> left, const CommandFacts* command) {
  std::erase(left, "--");
  const auto option = std::ranges::find_if(left, is_option);
  if (option != left.end()) {
    const std::string name = option->substr(0, option->find('='));
    std::vector<std::string> known;
    for (const Option& each : (command != nullptr ? *command : command_facts().front()).options) {
      for (const std::string& spelled : names_of(each)) known.push_back(spelled);
    }
    return fmt::format("unknown option '{}'{}", printable(name), suggestion(name, known));
  }
  if (left.empty()) return "";
  if (command == nullptr) {
    return fmt::format("unknown command '{}'{}", printable(left.front()),
                       suggestion(left.front(), command_names()));
  }
  return fmt::format("'{}' is one argument too many", printable(left.front()));
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
  const std::string unknown = unknown_word(parser.left(), command);
  return complain(unknown.empty() ? error.what() : unknown, command);
}

// llama-quantize's: beside the input, named after the type.
std::string default_output(const std::string& input, const std::string& type, Mix mix) {
  const std::size_t slash = input.find_last_of('/');
  const std::string folder = slash == input.npos ? "" : input.substr(0, slash + 1);
  return fmt::format("{}ggml-model-{}.gguf", folder, find_file_type(type, mix)->name);
}

// As llama-quantize: what stands behind the model is a type, or the output and then a type, and
// then the threads.
void set_positions(Options& options, const std::array<std::string, 3>& positions) {
  const Mix mix = options.quantize.mix;
  const bool type_first = find_file_type(positions[0], mix) != nullptr;
  const std::string& type = positions[type_first ? 0 : 1];
  const std::string& threads = positions[type_first ? 1 : 2];
  if (type.empty()) {
    // What looks like no file was meant as a type, of which there is more to say.
    const std::string& only = positions[0];
    if (!only.empty() && only.find_first_of("./") == only.npos) options.set("type", only);
    throw Error(ErrorCode::usage, fmt::format("type: no type is given. Known: {}",
                                              fmt::join(file_type_names(), " ")));
  }
  options.set("type", type);
  if (type_first && !positions[2].empty()) {
    throw Error(ErrorCode::usage,
                fmt::format("type: '{}' is a type, so that '{}' has no meaning. To name an output "
                            "like this, put ./ before it",
                            printable(positions[0]), printable(positions[2])));
  }
  options.set("output",
              type_first ? default_output(options.quantize.input, type, mix) : positions[0]);
  if (!threads.empty()) options.set("threads", threads);
}

// Gives all values to what they are for.
void take_values(const std::vector<Given>& given, bool conversion, Arguments& arguments,
                 Options& options) {
  std::array<std::string, 3> positions;  // of a conversion, after the model
  std::size_t place = 0;
  for (const auto& [bound, value] : given) {
    const Option& option = *bound.option;
    const std::string name =
        option.position.empty() ? fmt::format("--{}", option.name) : std::string(option.position);
    if (bound.set != nullptr) {
      try {
        bound.set(arguments, value);
      } catch (const Error& error) {
        throw Error::about(name, error);
      }
    } else if (conversion && !option.position.empty() && !option.required) {
      positions.at(place++) = value;
    } else {
      options.set(option.position.empty() ? name : option.name, value);
    }
    if (option.name == "tensor-type-file") arguments.rule_files.push_back(value);
  }
  if (conversion) set_positions(options, positions);
}

constexpr std::array kRuns = {
    std::pair{kForQuantize, Command::quantize},
    std::pair{kForPlan, Command::plan},
    std::pair{kForVerify, Command::verify},
    std::pair{kForInspect, Command::inspect},
    std::pair{kForCompare, Command::compare},
    std::pair{kForReport, Command::report},
    std::pair{kForDemo, Command::demo},
    std::pair{kForHelp, Command::help},
    std::pair{kForCompletion, Command::completion},
};

void fill(const Parser& parser, Arguments& arguments) {
  const unsigned bit = parser.command()->bit;
  arguments.command =
      std::ranges::find(kRuns, bit, [](const auto& run) { return run.first; })->second;
  const bool conversion = (bit & (kForQuantize | kForPlan)) != 0;
  Options options;
  options.quantize.memory_of_process = true;
  options.quantize.stop = &stop_requested();
  take_values(parser.given(), conversion, arguments, options);
  if (conversion) arguments.options = options.for_quantize();
  arguments.verify = options.for_verify();
  arguments.compare.options = options.for_compare();
  if (arguments.dry_run) arguments.command = Command::plan;
}

}  // namespace

Parsed parse_arguments(int argc, char** argv) {
  Parsed parsed;
  Parser parser;
  try {
    parser.parse(argc, argv);
    fill(parser, parsed.arguments);
    parsed.arguments.command_line = command_line(argc, argv);
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
