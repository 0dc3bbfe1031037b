#include "help_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "console.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kWidestName = 26;  // wider names have a line of their own

std::string heading(std::string_view text, const HelpLayout& layout) {
  return layout.styled ? console::styled(text, console::Style::bold, STDOUT_FILENO)
                       : std::string(text);
}

struct Entry {
  std::string name;
  std::string text;
};

// Names to the left, what they mean to the right.
std::string list(const std::vector<Entry>& entries, const HelpLayout& layout) {
  std::size_t width = 0;
  for (const Entry& entry : entries) {
    if (entry.name.size() <= kWidestName) width = std::max(width, entry.name.size());
  }
  // On a terminal too narrow for two columns, texts stand below their names.
  std::size_t column = kIndent + width + 2;
  const bool below = layout.columns < column + 24;
  if (below) column = 2 * kIndent;
  std::string text;
  for (const Entry& entry : entries) {
    text += fmt::format("{:{}}{}", "", kIndent, entry.name);
    const std::size_t end = kIndent + entry.name.size();
    text += below || end + 2 > column ? fmt::format("\n{:{}}", "", column)
                                      : fmt::format("{:{}}", "", column - end);
    text += wrapped(entry.text, layout.columns, column, column) + '\n';
  }
  return text;
}

std::string option_name(const Option& option) {
  if (!option.position.empty()) {
    return option.required ? value_of(option) : fmt::format("[{}]", value_of(option));
  }
  std::string name;
  for (const std::string& each : names_of(option)) name += (name.empty() ? "" : ", ") + each;
  return option.value.empty() ? name : fmt::format("{} {}", name, value_of(option));
}

std::string options_text(const CommandFacts& command, const HelpLayout& layout) {
  std::string text;
  for (std::size_t i = 0; i < command.options.size();) {
    const OptionTopic topic = command.options[i].topic;
    std::vector<Entry> entries;
    for (; i < command.options.size() && command.options[i].topic == topic; ++i) {
      entries.push_back({option_name(command.options[i]), full_description(command.options[i])});
    }
    text += fmt::format("\n{}\n{}", heading(name(topic), layout), list(entries, layout));
  }
  return text;
}

}  // namespace

HelpLayout help_layout() {
  // Text wider than a page is hard to read.
  return {std::clamp<std::size_t>(console::columns(STDOUT_FILENO), 30, 100), true};
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent,
                    std::size_t at) {
  std::string lines;
  bool fresh = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!fresh && at + 1 + word.size() > columns) {
      lines += fmt::format("\n{:{}}", "", indent);
      at = indent;
      fresh = true;
    }
    if (!fresh) lines += ' ';
    at += word.size() + (fresh ? 0 : 1);
    lines += word;
    fresh = false;
  }
  return lines;
}

std::string usage_of(const CommandFacts& command) {
  std::string usage(command.name.empty() ? "COMMAND" : command.name);
  if (std::any_of(command.options.begin(), command.options.end(),
                  [](const Option& option) { return option.position.empty(); })) {
    usage += " [OPTION...]";
  }
  for (const Option& option : command.options) {
    if (option.position.empty() && option.required) {
      usage += fmt::format(" {} {}", names_of(option).front(), value_of(option));
    }
  }
  for (const Option& option : command.options) {
    if (option.position.empty()) continue;
    usage += fmt::format(" {}{}", option_name(option), option.repeats ? "..." : "");
  }
  return usage;
}

std::string description(const Option& option) {
  std::string text(option.help);
  std::string more;
  if (!option.default_value.empty()) more = fmt::format("default: {}", option.default_value);
  if (!option.environment.empty()) {
    more += fmt::format("{}variable: {}", more.empty() ? "" : "; ", option.environment);
  }
  if (!more.empty()) text += fmt::format(" ({})", more);
  return text;
}

std::string full_description(const Option& option) {
  if (option.kind != OptionKind::file_type) return description(option);
  return fmt::format("{}: {}", description(option), fmt::join(file_type_names(), " "));
}

std::string overview_text(const HelpLayout& layout) {
  const CommandFacts& program = command_facts().front();
  std::string text = wrapped(program.description, layout.columns, 0, 0) + "\n\n";
  text += fmt::format("{} sluice {}\n", heading("Usage:", layout), usage_of(program));
  std::vector<Entry> entries;
  for (const CommandFacts& command : command_facts()) {
    if (!command.name.empty())
      entries.push_back({std::string(command.name), std::string(command.description)});
  }
  text += fmt::format("\n{}\n{}", heading("Commands", layout), list(entries, layout));
  text += options_text(program, layout);
  entries.clear();
  for (const Topic& topic : help_topics()) entries.push_back({topic.name, topic.title});
  text += fmt::format("\n{}\n{}", heading("Topics", layout), list(entries, layout));
  text += fmt::format("\n{}\n", heading("Examples", layout));
  for (const std::string_view example : examples_of("quantize").first(1)) {
    text += fmt::format("  {}\n", example);
  }
  text += "  sluice help quantize\n  sluice help types\n";
  return text;
}

std::string command_text(const CommandFacts& command, const HelpLayout& layout) {
  std::string text = wrapped(command.description, layout.columns, 0, 0) + "\n\n";
  text += heading("Usage:", layout) + " " +
          wrapped(fmt::format("sluice {}", usage_of(command)), layout.columns, 7, 7) + "\n";
  text += options_text(command, layout);
  if (!command.footer.empty()) {
    text += fmt::format("\n{}\n", wrapped(command.footer, layout.columns, 0, 0));
  }
  const auto examples = examples_of(command.name);
  if (!examples.empty()) text += fmt::format("\n{}\n", heading("Examples", layout));
  for (const std::string_view example : examples) text += fmt::format("  {}\n", example);
  return text;
}

std::string topic_text(const Topic& topic, const HelpLayout& layout) {
  std::string text = heading(topic.title, layout) + "\n";
  const std::vector<Block>& blocks = topic.blocks;
  for (std::size_t i = 0; i < blocks.size();) {
    text += '\n';
    switch (blocks[i].kind) {
      case Block::Kind::paragraph:
        text += wrapped(blocks[i++].text, layout.columns, 0, 0) + '\n';
        break;
      case Block::Kind::example:
        for (; i < blocks.size() && blocks[i].kind == Block::Kind::example; ++i) {
          text += fmt::format("  {}\n", blocks[i].text);
        }
        break;
      case Block::Kind::definition: {
        std::vector<Entry> entries;
        for (; i < blocks.size() && blocks[i].kind == Block::Kind::definition; ++i) {
          entries.push_back({blocks[i].term, blocks[i].text});
        }
        text += list(entries, layout);
        break;
      }
    }
  }
  return text;
}

}  // namespace sluice::cli
