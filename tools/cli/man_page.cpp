#include "man_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "command_facts.h"
#include "help_text.h"
#include "help_topics.h"
#include "sluice/version.h"

namespace sluice::cli {
namespace {

// Of the last change of what the page says.
constexpr std::string_view kDate = "2026-11-25";

// Text as roff shows it unchanged: a hyphen that can be copied from the page into a shell, and no
// line that begins as a request does.
std::string for_man(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '"') {
      result += "\\(dq";
    } else if ((c == '.' || c == '\'') && result.empty()) {
      result += fmt::format("\\&{}", c);
    } else {
      result += c;
    }
  }
  return result;
}

// Each sentence on a line of its own, as the formatter wants it.
std::string prose(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(". "), text.size());
    const std::size_t size = std::min(end + 1, text.size());
    lines += for_man(text.substr(0, size)) + '\n';
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return lines;
}

std::string example(std::string_view text) {
  return fmt::format(".PP\n.nf\n.RS 4\n{}\n.RE\n.fi\n", for_man(text));
}

std::string option(const Option& option) {
  std::string names;
  for (const std::string& name : names_of(option)) {
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", for_man(name));
  }
  const std::string value =
      option.value.empty() ? "" : fmt::format("\\fI{}\\fR", for_man(value_of(option)));
  return fmt::format(".TP\n{}{}{}\n{}", names, names.empty() || value.empty() ? "" : " ", value,
                     prose(full_description(option)));
}

// \param below  whether a paragraph stands between the heading and the options
std::string options(const CommandFacts& command, bool below) {
  std::string text;
  std::optional<OptionTopic> topic;
  for (const Option& each : command.options) {
    if (each.topic != topic) {
      text += fmt::format("{}\\fI{}\\fR\n", text.empty() && !below ? "" : ".PP\n",
                          for_man(name(each.topic)));
    }
    topic = each.topic;
    text += option(each);
  }
  return text;
}

std::string blocks(const Topic& topic) {
  std::string text;
  for (const Block& block : topic.blocks) {
    switch (block.kind) {
      case Block::Kind::paragraph:
        // A heading begins a paragraph already.
        text += (text.empty() ? "" : ".PP\n") + prose(block.text);
        break;
      case Block::Kind::example:
        text += example(block.text);
        break;
      case Block::Kind::definition:
        text += fmt::format(".TP\n\\fB{}\\fR\n{}", for_man(block.term), prose(block.text));
        break;
    }
  }
  return text;
}

}  // namespace

std::string man_page() {
  std::string page =
      fmt::format(".TH SLUICE 1 {} \"sluice {}\" \"User Commands\"\n", kDate, version());
  page += ".SH NAME\nsluice \\- streaming, out\\-of\\-core GGUF quantizer\n.SH SYNOPSIS\n";
  for (const CommandFacts& command : command_facts()) {
    if (command.name.empty()) continue;
    page += fmt::format("{}.B sluice\n{}\n", &command == &command_facts()[1] ? "" : ".br\n",
                        for_man(usage_of(command)));
  }
  page += fmt::format(".SH DESCRIPTION\n{}", prose(command_facts().front().description));
  page += fmt::format(".SH OPTIONS\n{}", options(command_facts().front(), false));
  page += ".SH COMMANDS\n";
  for (const CommandFacts& command : command_facts()) {
    if (command.name.empty()) continue;
    page += fmt::format(".SS sluice {}\n{}", for_man(usage_of(command)),
                        prose(fmt::format("{}.", command.description)));
    page += options(command, true);
    if (!command.footer.empty()) page += fmt::format(".PP\n{}", prose(command.footer));
    for (const std::string_view text : examples_of(command.name)) page += example(text);
  }
  for (const Topic& topic : help_topics()) {
    page += fmt::format(".SH {}\n",
                        for_man(upper(topic.name == "exit-status" ? "exit status" : topic.name)));
    page += blocks(topic);
  }
  page += ".SH SEE ALSO\n.BR bash (1),\n.BR fish (1),\n.BR zsh (1)\n";
  return page;
}

}  // namespace sluice::cli
