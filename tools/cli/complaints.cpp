#include "complaints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "command_word.h"
#include "conversion_words.h"
#include "help_topics.h"
#include "suggest.h"
#include "text.h"

namespace sluice::cli {
namespace {

constexpr unsigned kForConversion = kForQuantize | kForPlan;

/// An option that people try because a peer or most programs have it, and what to do instead.
struct RefusedOption {
  const char* names;  ///< with commas between
  unsigned commands;  ///< of which it is no option
  const char* instead;
};

constexpr std::array kRefused = {
    RefusedOption{"--repack", kForConversion,
                  "sluice does not interleave rows. ik_llama.cpp does when it loads the model with "
                  "-rtr, and its llama-quantize --repack works on what sluice makes"},
    RefusedOption{"--repack-pattern", kForConversion,
                  "sluice does not interleave rows. ik_llama.cpp's llama-quantize --repack "
                  "--repack-pattern works on what sluice makes"},
    RefusedOption{"--extra-output-tensor", kForConversion,
                  "sluice adds no second output tensor. Choose the one type with "
                  "--output-tensor-type"},
    RefusedOption{"--symmetric-q40", kForConversion,
                  "sluice has one way of making Q4_0, with the whole range. Leave the option out"},
    RefusedOption{"--slow-iq2ks", kForConversion,
                  "sluice does not make IQ2_KS. Choose another type, as IQ2_K"},
    RefusedOption{"-v,-V,--verbose", ~0U,
                  "sluice says by itself what it does, and --log-file FILE keeps it; --version "
                  "tells its version"},
};

// Short names are near to every other, so none of them is likely to have been meant.
std::vector<std::string> long_names(const CommandFacts& command) {
  std::vector<std::string> names;
  for (const Option& option : command.options) {
    std::ranges::copy_if(names_of(option), std::back_inserter(names),
                         [](const std::string& name) { return name.starts_with("--"); });
  }
  return names;
}

std::string unknown_command(const std::string& word) {
  if (looks_like_file(word)) {
    const std::string file = command_line({word});
    return fmt::format(
        "'{}' is a file, but what to do with it? 'sluice inspect {}' shows what it holds, 'sluice "
        "quantize {} Q4_K_M' converts it",
        printable(word), printable(file), printable(file));
  }
  std::vector<std::string> known = command_names();
  std::ranges::copy(long_names(command_facts().front()), std::back_inserter(known));
  return fmt::format("unknown command '{}'{}", printable(word), suggestion(word, known));
}

}  // namespace

const char* refusal_of(const std::string& word, unsigned command) {
  const std::string name = fmt::format(",{},", word.substr(0, word.find('=')));
  const auto found = std::ranges::find_if(kRefused, [&](const RefusedOption& refused) {
    return (refused.commands & command) != 0 &&
           fmt::format(",{},", refused.names).find(name) != std::string::npos;
  });
  return found == kRefused.end() ? nullptr : found->instead;
}

std::string unknown_word(std::vector<std::string> left, const CommandFacts* command) {
  std::erase(left, "--");
  const auto option = std::ranges::find_if(left, is_option);
  if (option == left.end()) {
    if (left.empty()) return "";
    if (command == nullptr) return unknown_command(left.front());
    return fmt::format("'{}' is one argument too many", printable(left.front()));
  }
  const CommandFacts& facts = command != nullptr ? *command : command_facts().front();
  const std::string name = option->substr(0, option->find('='));
  if (const char* instead = refusal_of(name, facts.bit))
    return fmt::format("{}: {}", name, instead);
  if (find_option(facts, name) != nullptr) {
    return fmt::format("{} stands before the command. Write it behind '{}'", name, facts.name);
  }
  return fmt::format("unknown option '{}'{}", printable(name), suggestion(name, long_names(facts)));
}

std::string missing_text(const CommandFacts& command, const Option& option) {
  const std::string name = option.position.empty() ? names_of(option).front() + " " : "";
  const auto examples = examples_of(command.name);
  return fmt::format("{} needs {}{}, {}{}", command.name, name, value_of(option), option.help,
                     examples.empty() ? "" : fmt::format(". As in: {}", examples.front()));
}

std::string missing_value_text(const Option& option, const std::string& name) {
  return fmt::format("{} needs a value: {} {}, {}", name, name, value_of(option), option.help);
}

}  // namespace sluice::cli
