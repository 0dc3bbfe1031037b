// ERRORS.md has a row for every code, and what it says is so.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "sluice/error.h"

namespace sluice {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The names in the enumeration itself, so that a code that the table of error_codes() lacks shows.
std::set<std::string> enumerators() {
  const std::string header = text_of(SLUICE_SOURCE_DIR "/include/sluice/error.h");
  const std::size_t start = header.find("enum class ErrorCode {");
  std::istringstream lines(header.substr(start, header.find("};", start) - start));
  std::set<std::string> names;
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, match, std::regex(R"(^  (\w+),)"))) names.insert(match[1]);
  }
  return names;
}

struct Row {
  int status;
  std::string meaning;
  std::string cure;
  std::string test;
};

std::map<std::string, Row> documented() {
  std::istringstream lines(text_of(SLUICE_SOURCE_DIR "/ERRORS.md"));
  const std::regex row(R"(^\| `(\w+)` \| (\d+) \| (.*) \| (.*) \| `([\w.]+)` \|$)");
  std::map<std::string, Row> rows;
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, row)) {
      rows[match[1]] = {std::stoi(match[2]), match[3], match[4], match[5]};
    }
  }
  return rows;
}

TEST(ErrorCodes, EveryCodeHasItsRowInTheTable) {
  const std::set<std::string> names = enumerators();
  ASSERT_GE(names.size(), 19u);
  const std::map<std::string, Row> rows = documented();
  EXPECT_EQ(rows.size(), names.size());
  std::set<std::string> known;
  for (const ErrorCodeInfo& info : error_codes()) {
    const std::string code(info.name);
    known.insert(code);
    EXPECT_EQ(name(info.code), info.name);
    ASSERT_TRUE(rows.contains(code)) << "not in ERRORS.md: " << code;
    EXPECT_EQ(rows.at(code).status, exit_status(info.code)) << code;
    EXPECT_EQ(rows.at(code).meaning, info.meaning);
    EXPECT_EQ(rows.at(code).cure, info.cure);
  }
  EXPECT_EQ(known, names);
}

TEST(ErrorCodes, EachTestInTheTableIsThere) {
  std::string tests;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(SLUICE_SOURCE_DIR "/tests")) {
    if (entry.path().string().ends_with("_test.cpp")) tests += text_of(entry.path());
  }
  const auto there_is = [&](const std::string& test) {
    const std::size_t dot = test.find('.');
    const std::regex line("TEST(_F|_P)?\\(" + test.substr(0, dot) + ",\\s+" + test.substr(dot + 1) +
                          "\\)");
    return std::regex_search(tests, line);
  };
  for (const auto& [code, row] : documented()) EXPECT_TRUE(there_is(row.test)) << row.test;
  EXPECT_FALSE(there_is("ErrorCodes.NoSuchTest"));
}

}  // namespace
}  // namespace sluice
