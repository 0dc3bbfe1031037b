#include "command_facts.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <iterator>

#include "option_topics.h"
#include "sluice/codec.h"
#include "sluice/recipe.h"
#include "sluice/tensor_type.h"

namespace sluice::cli {
namespace {

bool can_encode(TensorType type) {
  const Codec* codec = find_codec(type);
  return codec != nullptr && codec->encode != nullptr;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

// The parser describes a choice as `TEXT:{auto,mmap}`.
std::vector<std::string> choices_in(const std::string& type_name) {
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type_name.substr(open + 1, close - open - 1), ',');
}

ValueKind kind_of(std::string_view value, bool positional,
                  const std::vector<std::string>& choices) {
  if (!choices.empty()) return ValueKind::choice;
  if (value == "TYPE") return positional ? ValueKind::file_type : ValueKind::tensor_type;
  if (value == "FILE" || value.starts_with("FILE ") || value == "PATH") return ValueKind::file;
  if (value == "FOLDER" || value == "DIR") return ValueKind::folder;
  return ValueKind::none;
}

std::string value_name(const std::string& type_name) {
  const std::string type = type_name.substr(0, type_name.find_first_of(": ("));
  if (type == "INT" || type == "UINT") return "N";
  if (type == "FLOAT") return "X";
  return type;
}

OptionFacts facts_of(const CLI::Option& option) {
  OptionFacts facts;
  for (const std::string& name : option.get_snames()) facts.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) facts.names.push_back("--" + name);
  facts.description = option.get_description();
  facts.default_value = option.get_default_str();
  facts.environment = option.get_envname();
  facts.required = option.get_required();
  facts.repeats = option.get_expected_max() > 1;

  const std::string positional = option.get_name(true, false);
  const OptionTopic* topic =
      find_option_topic(facts.positional() ? std::string_view(positional) : facts.names.back());
  const std::string group = option.get_group();
  facts.topic = topic != nullptr     ? std::string(topic->topic)
                : group != "Options" ? group
                : facts.positional() ? "Arguments"
                                     : group;

  const bool flag = !facts.positional() && option.get_items_expected_max() == 0;
  if (!flag) {
    facts.choices = choices_in(option.get_type_name());
    facts.value = topic != nullptr && !topic->value.empty() ? std::string(topic->value)
                  : !facts.choices.empty()                  ? joined(facts.choices, "|")
                                                            : value_name(option.get_type_name());
    facts.kind = kind_of(facts.value, facts.positional(), facts.choices);
    if (facts.positional()) facts.value = upper(positional);
  }
  return facts;
}

std::size_t rank(const std::string& topic) {
  const auto order = topic_order();
  const auto found = std::find(order.begin(), order.end(), topic);
  if (found == order.end()) return 2 * order.size() - 3;
  return 2 * static_cast<std::size_t>(found - order.begin());
}

CommandFacts facts_of(const CLI::App& command) {
  CommandFacts facts{command.get_name(), command.get_description(), {}, command.get_footer()};
  for (const CLI::Option* option : command.get_options()) {
    // An empty group hides an option.
    if (!option->get_group().empty()) facts.options.push_back(facts_of(*option));
  }
  std::stable_sort(
      facts.options.begin(), facts.options.end(),
      [](const OptionFacts& a, const OptionFacts& b) { return rank(a.topic) < rank(b.topic); });
  return facts;
}

}  // namespace

std::vector<CommandFacts> command_facts(const CLI::App& app) {
  std::vector<CommandFacts> commands = {facts_of(app)};
  commands.front().name.clear();
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(facts_of(*command));
  }
  return commands;
}

std::vector<FileType> offered_file_types() {
  std::vector<FileType> offered;
  std::ranges::copy_if(file_types(), std::back_inserter(offered),
                       [](const FileType& type) { return type.copy || can_encode(type.type); });
  return offered;
}

std::vector<std::string> file_type_names() {
  std::vector<std::string> names;
  for (const FileType& type : offered_file_types()) names.emplace_back(upper(type.name));
  return names;
}

std::vector<std::string> tensor_type_names() {
  std::vector<std::string> names;
  for (const TensorTypeInfo& type : tensor_types()) {
    if (can_encode(type.type)) names.push_back(upper(type.name));
  }
  return names;
}

}  // namespace sluice::cli
