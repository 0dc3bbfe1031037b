#pragma once

// What the program's help lists, read from its text.

#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"

namespace sluice::testing_support {

/// Commands in the overview.
inline std::vector<std::string> program_commands() {
  std::istringstream text(run({SLUICE_PROGRAM, "--help"}).out);
  std::vector<std::string> commands;
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line == "Commands") {
      inside = true;
    } else if (line.empty()) {
      inside = false;
    } else if (inside && line.starts_with("  ") && line[2] != ' ') {
      commands.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return commands;
}

/// Options, with dashes, that begin a line of a help text.
inline std::vector<std::string> options_in(const std::string& help) {
  // `  -h, --help  Text` or `  --memory, --max-buffer-size SIZE`.
  static const std::regex kLine(R"(^  (--?\w[\w-]*)((?:, --?\w[\w-]*)*))");
  static const std::regex kName(R"(--?\w[\w-]*)");
  std::istringstream text(help.substr(0, help.find("\nExamples\n")));
  std::vector<std::string> options;
  std::smatch match;
  for (std::string line; std::getline(text, line);) {
    if (!std::regex_search(line, match, kLine)) continue;
    const std::string names = match[0];
    for (std::sregex_iterator name(names.begin(), names.end(), kName), end; name != end; ++name) {
      options.push_back(name->str());
    }
  }
  return options;
}

}  // namespace sluice::testing_support
