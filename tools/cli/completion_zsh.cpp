#include <fmt/format.h>

#include <utility>

#include "completion.h"

namespace sluice::cli {
namespace {

// In single quotes, with what _arguments and _describe take for their own marks escaped.
std::string in_quotes(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
      result += fmt::format("\\{}", c);
    } else {
      result += c;
    }
  }
  return result;
}

std::string action(const Option& option) {
  switch (option.kind) {
    case OptionKind::choice:
      return fmt::format("({})", in_one_line(choices_of(option)));
    case OptionKind::file_type:
      return "_sluice_file_types";
    case OptionKind::tensor_type:
      return "_sluice_tensor_types";
    case OptionKind::file:
      return "_files";
    case OptionKind::folder:
      return "_files -/";
    default:
      return " ";
  }
  return " ";
}

std::string option_specs(const Option& option) {
  std::string text;
  const std::string others =
      option.repeats ? "*" : fmt::format("({})", in_one_line(names_of(option)));
  for (const std::string& name : names_of(option)) {
    // "=": the value may be in the same word or in the next one.
    const bool long_value = !option.value.empty() && name.starts_with("--");
    text += fmt::format(" \\\n        '{}{}{}[{}]", others, name, long_value ? "=" : "",
                        in_quotes(option.help));
    if (!option.value.empty()) {
      text += fmt::format(":{}:{}", in_quotes(value_of(option)), action(option));
    }
    text += "'";
  }
  return text;
}

std::string positional_specs(const CommandFacts& command) {
  const PositionalKinds kinds = positional_kinds(command);
  std::string text;
  int place = 0;
  for (const Option& option : command.options) {
    if (option.position.empty()) continue;
    ++place;
    const bool open = place > 1 && kinds.types && kinds.files &&
                      (option.kind == OptionKind::file || option.kind == OptionKind::file_type);
    text +=
        fmt::format(" \\\n        '{}:{}:{}'",
                    option.repeats    ? "*"
                    : option.required ? fmt::format("{}", place)
                                      : fmt::format("{}:", place),
                    in_quotes(value_of(option)), open ? "_sluice_files_or_types" : action(option));
  }
  return text;
}

}  // namespace

std::string zsh_completion() {
  std::string script =
      "#compdef sluice\n# zsh completion for sluice, as printed by `sluice completion zsh`.\n\n";
  for (const auto& [kind, names] :
       {std::pair("file", file_type_names()), std::pair("tensor", tensor_type_names())}) {
    script += fmt::format(
        "_sluice_{}_types() {{\n  local -a types=({})\n"
        "  compadd -M 'm:{{a-z}}={{A-Z}}' -X type -a types\n}}\n\n",
        kind, in_one_line(names));
  }
  script +=
      "_sluice_files_or_types() {\n"
      "  _alternative 'types:type:_sluice_file_types' 'files:file:_files'\n}\n\n"
      "_sluice() {\n  local curcontext=$curcontext state line\n  local -a commands=(\n";
  for (const CommandFacts& command : command_facts()) {
    if (command.name.empty()) continue;
    script += fmt::format("    '{}:{}'\n", command.name, in_quotes(command.description));
  }
  script += "  )\n  _arguments -C";
  for (const Option& option : command_facts().front().options) script += option_specs(option);
  script +=
      " \\\n        '1: :->command' '*:: :->arguments'\n"
      "  case $state in\n  command) _describe command commands ;;\n"
      "  arguments)\n    case $words[1] in\n";
  for (const CommandFacts& command : command_facts()) {
    if (command.name.empty()) continue;
    script += fmt::format("    {})\n      _arguments", command.name);
    for (const Option& option : command.options) script += option_specs(option);
    script += positional_specs(command) + "\n      ;;\n";
  }
  // Loaded from a folder of functions the file is the function's body; sourced, it registers it.
  script +=
      "    esac\n    ;;\n  esac\n}\n\n"
      "if [[ $funcstack[1] == _sluice ]]; then\n  _sluice \"$@\"\nelse\n"
      "  compdef _sluice sluice\nfi\n";
  return script;
}

}  // namespace sluice::cli
