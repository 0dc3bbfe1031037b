#include "text_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "command_facts.h"
#include "completion.h"
#include "console.h"
#include "help_text.h"
#include "help_topics.h"
#include "man_page.h"
#include "markdown.h"
#include "sluice/error.h"
#include "suggest.h"
#include "text.h"

namespace sluice::cli {
namespace {

int refuse_topic(const std::string& word, const std::vector<Topic>& topics) {
  std::vector<std::string> names = command_names();
  for (const Topic& topic : topics) names.push_back(topic.name);
  console::error(
      fmt::format("there is no help on '{}'{}", printable(word), suggestion(word, names)));
  console::hint(fmt::format("Topics: {}", fmt::join(names, " ")));
  return exit_status(ErrorCode::usage);
}

}  // namespace

int run_help(const TextArguments& arguments) {
  if (arguments.man) {
    console::result(man_page());
  } else if (arguments.markdown) {
    console::result(option_tables());
  } else if (arguments.topic.empty()) {
    console::result(overview_text(help_layout()));
  } else if (const CommandFacts* command = find_command(arguments.topic)) {
    console::result(command_text(*command, help_layout()));
  } else {
    const std::vector<Topic> topics = help_topics();
    const auto topic = std::ranges::find(topics, arguments.topic, &Topic::name);
    if (topic == topics.end()) return refuse_topic(arguments.topic, topics);
    console::result(topic_text(*topic, help_layout()));
  }
  return 0;
}

void run_completion(const TextArguments& arguments) {
  console::result(completion_script(arguments.shell));
}

}  // namespace sluice::cli
