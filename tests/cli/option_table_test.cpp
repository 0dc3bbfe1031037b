// What is made of the table of options: help, manual page, completions and OPTIONS.md.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "sluice/options.h"
#include "support/process.h"

namespace {

using namespace sluice::testing_support;

std::string shown(std::vector<std::string> words) {
  words.insert(words.begin(), SLUICE_PROGRAM);
  const Finished done = run(words);
  EXPECT_EQ(done.status, 0) << done.errors;
  return done.out;
}

// From a mark on, up to the next one.
std::string section(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  EXPECT_NE(from, std::string::npos) << begin;
  if (from == std::string::npos) return "";
  return text.substr(from, text.find(end, from + begin.size()) - from);
}

const std::map<std::string, unsigned> kCommands = {{"quantize", sluice::kForQuantize},
                                                   {"plan", sluice::kForPlan},
                                                   {"verify", sluice::kForVerify},
                                                   {"compare", sluice::kForCompare},
                                                   {"imatrix", sluice::kForImatrix}};

// The options of a command that a text lacks.
// \param dash    what the text has for a dash, as a regular expression
// \param before  what it has before a name
std::vector<std::string> missing(unsigned command, const std::string& text, const std::string& dash,
                                 const std::string& before = "") {
  std::vector<std::string> names;
  for (const sluice::Option& option : sluice::options()) {
    if ((option.commands & command) == 0 || !option.position.empty()) continue;
    const std::string name = std::regex_replace(std::string(option.name), std::regex("-"), dash);
    const std::regex whole(before + name + R"(\b(?!\\?-))");
    if (!std::regex_search(text, whole)) names.emplace_back(option.name);
  }
  return names;
}

TEST(OptionTable, EachOptionIsInTheHelpThePageAndTheCompletionsOfItsCommands) {
  const std::string page = shown({"help", "--man"});
  const std::string bash = shown({"completion", "bash"});
  const std::string zsh = shown({"completion", "zsh"});
  const std::string fish = shown({"completion", "fish"});
  const std::vector<std::string> none;
  for (const auto& [command, bit] : kCommands) {
    EXPECT_EQ(missing(bit, shown({"help", command}), "-", "--"), none) << command;
    EXPECT_EQ(
        missing(bit, section(page, ".SS sluice " + command + " ", "\n.S"), R"(\\-)", R"(\\-\\-)"),
        none)
        << command;
    const std::string in_bash = section(bash, "\n  " + command + ")\n    options='", "'\n");
    EXPECT_EQ(missing(bit, in_bash, "-", "--"), none) << command;
    EXPECT_EQ(missing(bit, section(zsh, "\n    " + command + ")\n", ";;\n"), "-", "--"), none)
        << command;
    std::string of_fish;
    std::istringstream lines(fish);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("__sluice_command_is \\'" + command + "\\'") != line.npos)
        of_fish += line + "\n";
    }
    EXPECT_EQ(missing(bit, of_fish, "-", "-l "), none) << command;
  }
  // The check sees what is missing.
  std::string help = shown({"help", "verify"});
  help.erase(help.find("--spindle"), 9);
  EXPECT_EQ(missing(sluice::kForVerify, help, "-", "--"), std::vector<std::string>{"spindle"});
}

TEST(OptionTable, OptionsMdHasItsTables) {
  const std::string path = SLUICE_SOURCE_DIR "/OPTIONS.md";
  const std::string begin = "<!-- begin: sluice help --markdown -->\n";
  const std::string tables = shown({"help", "--markdown"});
  std::stringstream document;
  document << std::ifstream(path).rdbuf();
  const std::string text = document.str();
  const std::string written = section(text, begin, "<!-- end -->");
  if (std::getenv("SLUICE_REWRITE") != nullptr) {
    const std::size_t at = text.find(begin);
    ASSERT_NE(at, text.npos);
    std::ofstream(path) << text.substr(0, at) << begin << tables
                        << text.substr(at + written.size());
    return;
  }
  EXPECT_EQ(written, begin + tables) << "SLUICE_REWRITE=1 with this test writes them anew";
  for (const sluice::Option& option : sluice::options()) {
    EXPECT_NE(tables.find(option.help), std::string::npos) << option.name;
  }
}

}  // namespace
