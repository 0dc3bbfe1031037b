// Help, the manual page and the answers to what was mistyped.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "cli/program.h"
#include "sluice/codec.h"
#include "sluice/error.h"
#include "sluice/recipe.h"
#include "support/needs.h"
#include "support/process.h"
#include "support/program_help.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;

TEST(Help, EachCommandHasExamplesAndTopics) {
  const std::vector<std::string> commands = program_commands();
  ASSERT_GE(commands.size(), 6u);
  for (const std::string& command : commands) {
    const Finished option = run_program({command, "--help"});
    EXPECT_EQ(option.status, 0) << option.errors;
    EXPECT_TRUE(has(option.out, "Usage: sluice " + command)) << option.out;
    EXPECT_EQ(option.out, run_program({"help", command}).out) << command;
    EXPECT_FALSE(options_in(option.out).empty()) << command;
  }
  const std::string quantize = run_program({"quantize", "--help"}).out;
  for (const std::string part :
       {"Examples\n  sluice quantize", "\nImportance matrix\n", "\nMemory, disks and speed\n",
        "--memory, --max-buffer-size SIZE", "default: 512M", "variable: SLUICE_ISA",
        "--io auto|mmap|async|read"}) {
    EXPECT_TRUE(has(quantize, part)) << part << quantize;
  }
}

TEST(Help, EachTopicIsListedAndTold) {
  const std::string overview = run_program({"help"}).out;
  EXPECT_EQ(overview, run_program({"--help"}).out);
  for (const std::string topic : {"types", "checkpoints", "network", "importance", "memory",
                                  "disks", "resume", "environment", "completions", "exit-status"}) {
    EXPECT_TRUE(has(overview, "\n  " + topic + " ")) << topic;
    const Finished told = run_program({"help", topic});
    EXPECT_EQ(told.status, 0) << topic;
    EXPECT_GT(told.out.size(), 200u) << topic;
  }
  const std::string types = run_program({"help", "types"}).out;
  for (const sluice::FileType& type : sluice::file_types()) {
    const sluice::Codec* const codec = sluice::find_codec(type.type);
    if (!type.copy && (codec == nullptr || codec->encode == nullptr)) continue;
    EXPECT_TRUE(has(types, std::string(type.name) + " ")) << type.name << ": a table of all types";
  }
  EXPECT_TRUE(
      has(run_program({"help", "report"}).out, "sluice report [OPTION...] -o FILE REPORTS...\n"));
}

// In the help, on the manual page and in the README.
TEST(Help, TheExitStatusIsATable) {
  std::ifstream file(SLUICE_SOURCE_DIR "/README.md");
  const std::string readme((std::istreambuf_iterator<char>(file)), {});
  const std::string page = run_program({"help", "--man"}).out;
  const std::string told = run_program({"help", "exit-status"}).out;
  std::set<int> statuses;
  std::istringstream lines(told.substr(0, told.find("In particular")));
  for (std::string line; std::getline(lines, line);) {
    std::smatch row;
    if (!std::regex_match(line, row, std::regex(R"(  (\d+) +(\S.*))"))) continue;
    statuses.insert(std::stoi(row[1]));
    EXPECT_TRUE(has(page, ".TP\n\\fB" + row[1].str() + "\\fR\n")) << line;
    std::string meaning;
    const std::size_t at = readme.find("\n| " + row[1].str() + " | ");
    ASSERT_NE(at, std::string::npos) << line;
    for (const char c : readme.substr(at, readme.find('\n', at + 1) - at)) {
      if (c != '`') meaning += c;
    }
    EXPECT_TRUE(has(meaning, row[2])) << meaning;
  }
  EXPECT_EQ(statuses, (std::set<int>{0, 1, 2, 3, 4, 5, 130}));
  for (const sluice::ErrorCodeInfo& info : sluice::error_codes()) {
    EXPECT_TRUE(statuses.contains(sluice::exit_status(info.code))) << info.name;
    EXPECT_TRUE(has(told, fmt::format("\n  {:>3}  {}", sluice::exit_status(info.code), info.name)))
        << info.name;
  }
}

TEST(Help, LinesFitTheTerminal) {
  for (const unsigned short columns : {40, 60, 90}) {
    const Finished shown = run_on_terminal({SLUICE_PROGRAM, "quantize", "--help"}, columns);
    EXPECT_EQ(shown.status, 0);
    std::size_t lines = 0;
    std::istringstream text(shown.out);
    for (std::string line; std::getline(text, line); ++lines) {
      if (line.starts_with("Examples") || line.find("Examples") != std::string::npos) break;
      // A name cannot be broken; texts can.
      if (line.find("   ") == 0) {
        EXPECT_LE(line.size(), columns + 1u) << line;
      }
    }
    EXPECT_GT(lines, 30u);
  }
}

TEST(Help, WhatWasMeantIsSuggested) {
  struct Case {
    std::vector<std::string> words;
    std::string message;
  };
  for (const Case& c : std::vector<Case>{
           {{"quantise", "a", "b", "Q8_0"}, "unknown command 'quantise'. Did you mean 'quantize'?"},
           {{"paln"}, "unknown command 'paln'. Did you mean 'plan'?"},
           {{"quantize", "--imatirx", "x", "a", "b", "Q8_0"},
            "unknown option '--imatirx'. Did you mean '--imatrix'?"},
           {{"quantize", "--memroy=1G", "a", "b", "Q8_0"},
            "unknown option '--memroy'. Did you mean '--memory'?"},
           {{"quantize", "--frobnicate", "a", "b", "Q8_0"}, "unknown option '--frobnicate'\n"},
           {{"verify", "a", "--agianst", "b"},
            "unknown option '--agianst'. Did you mean '--against'?"},
           {{"--versoin"}, "unknown option '--versoin'. Did you mean '--version'?"},
           {{"quantize", "a", "b", "iq1m"}, "'iq1m' is no file type. Did you mean IQ1_M?"},
           {{"quantize", "a", "b", "Q4-K-M"}, "'Q4-K-M' is no file type. Did you mean Q4_K_M?"},
           {{"quantize", "a", "b", "zzzzz"}, "'zzzzz' is no file type. Known are "},
           {{"help", "resme"}, "there is no help on 'resme'. Did you mean 'resume'?"},
           {{"completion", "tcsh"}, "tcsh"},
           {{"verify", "a", "\x1b[31mb"}, "'\\x1b[31mb' is one argument too many"}}) {
    const Finished done = run_program(c.words);
    EXPECT_EQ(done.status, 2) << c.message;
    EXPECT_TRUE(has(done.errors, c.message)) << done.errors;
    EXPECT_TRUE(done.out.empty()) << done.out;
  }
}

// Options of each command that its section of a manual page lacks.
std::vector<std::string> missing_in(const std::string& page) {
  std::vector<std::string> missing;
  for (const std::string& command : program_commands()) {
    const std::size_t section = page.find(".SS sluice " + command + " ");
    const std::size_t end = page.find("\n.S", section + 1);
    const std::string part =
        section == std::string::npos ? "" : page.substr(section, end - section);
    for (const std::string& option : options_in(run_program({command, "--help"}).out)) {
      const std::string in_roff = std::regex_replace(option, std::regex("-"), "\\-");
      if (!has(part, "\\fB" + in_roff + "\\fR")) missing.push_back(command + " " + option);
    }
  }
  return missing;
}

TEST(ManPage, HasEveryOptionOfTheHelp) {
  std::string page = run_program({"help", "--man"}).out;
  EXPECT_EQ(missing_in(page), std::vector<std::string>{});
  for (const std::string section : {".SH NAME", ".SH SYNOPSIS", ".SH EXIT STATUS", ".SH RESUME"}) {
    EXPECT_TRUE(has(page, section)) << section;
  }
  // The check sees what is missing.
  const std::string effort = "\\fB\\-\\-effort\\fR";
  page.erase(page.find(effort), effort.size());
  EXPECT_EQ(missing_in(page), std::vector<std::string>{"quantize --effort"});
}

TEST(ManPage, FormattersHaveNothingToComplainOf) {
  const TempFolder folder;
  const std::string path = folder / "sluice.1";
  const std::string page = run_program({"help", "--man"}).out;
  std::ofstream(path) << page;
  std::ofstream(folder / "bad.1") << page << ".XY unknown\n";
  std::size_t tried = 0;
  for (const std::vector<std::string>& checker :
       std::vector<std::vector<std::string>>{{"man", "--warnings", "--local-file"},
                                             {"groff", "-man", "-ww", "-z"},
                                             {"mandoc", "-T", "lint", "-W", "warning"}}) {
    if (run({"sh", "-c", "command -v " + checker[0]}).status != 0) continue;
    const auto complaints = [&](const std::string& file) {
      std::vector<std::string> words = checker;
      words.push_back(file);
      const Finished done = run(words, [] { ::setenv("MANROFFOPT", "-ww", 1); });
      return done.errors + (checker[0] == "mandoc" ? done.out : "");
    };
    EXPECT_EQ(complaints(path), "") << checker[0];
    EXPECT_NE(complaints(folder / "bad.1"), "") << checker[0] << " sees nothing";
    ++tried;
  }
  SLUICE_NEEDS(tried > 0, "this machine has no man, groff or mandoc");
}

}  // namespace
