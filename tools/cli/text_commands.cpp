#include "text_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "command_facts.h"
#include "completion.h"
#include "help_text.h"
#include "help_topics.h"
#include "man_page.h"
#include "sluice/error.h"
#include "suggest.h"
#include "text.h"

namespace sluice::cli {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

const CommandFacts* find(const std::vector<CommandFacts>& commands, const std::string& name) {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const CommandFacts& c) { return c.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

// What is wrong, if it is a word that no option and no command takes. The parser would rather tell
// that something else is missing, for which the word was meant.
std::string unknown_word(const CLI::App& app, const CLI::App* command) {
  std::vector<std::string> left = app.remaining(true);
  std::erase(left, "--");
  const auto option = std::find_if(left.begin(), left.end(), is_option);
  if (option != left.end()) {
    const std::string name = option->substr(0, option->find('='));
    return fmt::format("unknown option '{}'{}", printable(name),
                       suggestion(name, option_names(command == nullptr ? app : *command)));
  }
  if (left.empty()) return "";
  if (command == nullptr) {
    return fmt::format("unknown command '{}'{}", printable(left.front()),
                       suggestion(left.front(), command_names(app)));
  }
  return fmt::format("'{}' is one argument too many", printable(left.front()));
}

}  // namespace

TextCommands::TextCommands(CLI::App& app, ConsoleOptions& console) {
  completion_ =
      app.add_subcommand("completion", "Print a script that completes commands in a shell");
  completion_->add_option("shell", typed_->shell, "Which shell")
      ->required()
      ->check(CLI::IsMember(completion_shells()));

  // Before the command too.
  std::vector<CLI::App*> speaking = app.get_subcommands([](CLI::App*) { return true; });
  std::erase(speaking, completion_);
  speaking.push_back(&app);
  for (CLI::App* command : speaking) {
    command->add_flag("-q,--quiet", console.quiet,
                      "Print nothing but errors and what was asked for");
    command->add_option("--log-file", console.log_file,
                        "Add all that is said, with the time, to this file, when quiet too");
  }

  help_ = app.add_subcommand("help", "Explain a command or a topic");
  std::vector<std::string> topics = command_names(app);
  for (const Topic& topic : help_topics()) topics.push_back(topic.name);
  // Not a check, since a word that is near to one deserves a better answer; for completion.
  const CLI::Validator offered([](std::string&) { return std::string(); },
                               fmt::format("{{{}}}", fmt::join(topics, ",")), "topics");
  help_
      ->add_option("topic", typed_->topic,
                   "A command, or one of the topics that are listed without")
      ->check(offered);
  help_->add_flag("--man", typed_->man, "Print the manual page, for man");
}

int TextCommands::print(const CLI::App& app) const {
  const std::vector<CommandFacts> commands = command_facts(app);
  if (*completion_) {
    console::result(completion_script(typed_->shell, commands));
    return 0;
  }
  if (!*help_) return -1;
  if (typed_->man) {
    console::result(man_page(commands));
    return 0;
  }
  if (typed_->topic.empty()) {
    console::result(overview_text(commands, help_layout()));
    return 0;
  }
  if (const CommandFacts* command = find(commands, typed_->topic)) {
    console::result(command_text(*command, help_layout()));
    return 0;
  }
  std::vector<std::string> names = command_names(app);
  for (const Topic& topic : help_topics()) {
    if (topic.name == typed_->topic) {
      console::result(topic_text(topic, help_layout()));
      return 0;
    }
    names.push_back(topic.name);
  }
  console::error(fmt::format("there is no help on '{}'{}", printable(typed_->topic),
                             suggestion(typed_->topic, names)));
  console::hint(fmt::format("Topics: {}", fmt::join(names, " ")));
  return exit_status(ErrorCode::usage);
}

int TextCommands::answer(const CLI::App& app, const CLI::ParseError& error) const {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  const CLI::App* command = parsed.empty() ? nullptr : parsed.front();
  const std::vector<CommandFacts> commands = command_facts(app);
  if (dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr ||
      dynamic_cast<const CLI::CallForAllHelp*>(&error) != nullptr) {
    console::result(command == nullptr
                        ? overview_text(commands, help_layout())
                        : command_text(*find(commands, command->get_name()), help_layout()));
    return 0;
  }
  if (error.get_exit_code() == 0) {  // the version
    console::result(error.what());
    return 0;
  }
  const std::string unknown = unknown_word(app, command);
  console::error(unknown.empty() ? error.what() : unknown);
  console::hint(command == nullptr ? "See 'sluice --help'"
                                   : fmt::format("See 'sluice {0} --help'", command->get_name()));
  return exit_status(ErrorCode::usage);
}

}  // namespace sluice::cli
