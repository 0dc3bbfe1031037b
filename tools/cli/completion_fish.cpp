#include <fmt/format.h>

#include "completion.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kFishStart =
    R"(# fish completion for sluice, as printed by `sluice completion fish`.

# Whether the command on the line is the one given ('': none yet).
function __sluice_command_is
    for word in (commandline -opc)[2..-1]
        if not string match -q -- '-*' $word
            test "$word" = "$argv[1]"
            return
        end
    end
    test -z "$argv[1]"
end

)";

std::string in_fish_quotes(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

// The start of a line that holds for a command.
std::string line(const CommandFacts& command) {
  return fmt::format("complete -c sluice -n {}",
                     in_fish_quotes(fmt::format("__sluice_command_is '{}'", command.name)));
}

std::string value_flags(const Option& option) {
  if (option.value.empty()) return "";
  switch (option.kind) {
    case OptionKind::choice:
      return fmt::format(" -x -a {}", in_fish_quotes(in_one_line(choices_of(option))));
    case OptionKind::file_type:
      return fmt::format(" -x -a {}", in_fish_quotes(in_one_line(file_type_names())));
    case OptionKind::tensor_type:
      return fmt::format(" -x -a {}", in_fish_quotes(in_one_line(tensor_type_names())));
    case OptionKind::file:
      return " -r -F";
    case OptionKind::folder:
      return " -x -a '(__fish_complete_directories)'";
    default:
      return " -x";
  }
  return "";
}

std::string options(const CommandFacts& command) {
  std::string text;
  for (const Option& option : command.options) {
    if (!option.position.empty()) continue;
    text += line(command);
    for (const std::string& name : names_of(option)) {
      text += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                     : fmt::format(" -s {}", name.substr(1));
    }
    text += fmt::format("{} -d {}\n", value_flags(option), in_fish_quotes(option.help));
  }
  return text;
}

std::string positionals(const CommandFacts& command) {
  const PositionalKinds kinds = positional_kinds(command);
  std::string text;
  if (!kinds.files) text += line(command) + " -f\n";
  if (kinds.folders && !kinds.files) {
    text += line(command) + " -a '(__fish_complete_directories)'\n";
  }
  if (kinds.types) {
    text += fmt::format("{} -a {} -d type\n", line(command),
                        in_fish_quotes(in_one_line(file_type_names())));
  }
  if (!kinds.choices.empty()) {
    text += fmt::format("{} -a {}\n", line(command), in_fish_quotes(in_one_line(kinds.choices)));
  }
  return text;
}

}  // namespace

std::string fish_completion() {
  std::string script(kFishStart);
  const CommandFacts& program = command_facts().front();
  for (const CommandFacts& command : command_facts()) {
    if (command.name.empty()) continue;
    script += fmt::format("{} -f -a {} -d {}\n", line(program), command.name,
                          in_fish_quotes(command.description));
  }
  script += options(program);
  for (const CommandFacts& command : command_facts()) {
    if (!command.name.empty()) script += options(command) + positionals(command);
  }
  return script;
}

}  // namespace sluice::cli
