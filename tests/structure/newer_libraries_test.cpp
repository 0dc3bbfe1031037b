// What newer versions of libraries than Debian 12's have in other headers is included from where all of
// them have it: Fedora's and Arch's compilers would see it, and CI has neither.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Moved {
  const char* use;
  const char* header;
};

constexpr Moved kMoved[] = {
    {"fmt::join(", "#include <fmt/ranges.h>"},  // fmt 11
};

bool includes_what_moved(const std::string& source) {
  for (const Moved& moved : kMoved) {
    if (source.find(moved.use) != std::string::npos &&
        source.find(moved.header) == std::string::npos) {
      return false;
    }
  }
  return true;
}

TEST(Structure, WhatNewerLibrariesHaveElsewhereIsIncludedFromThere) {
  std::size_t files = 0;
  for (const char* folder : {"/include", "/src", "/tools", "/bench"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(SLUICE_SOURCE_DIR + std::string(folder))) {
      const fs::path extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".h") continue;
      std::ifstream stream(entry.path());
      const std::string source{std::istreambuf_iterator<char>(stream), {}};
      EXPECT_TRUE(includes_what_moved(source)) << entry.path();
      ++files;
    }
  }
  EXPECT_GT(files, 100u);
}

TEST(Structure, TheCheckSeesAHeaderThatMoved) {
  EXPECT_FALSE(includes_what_moved("#include <fmt/format.h>\nfmt::join(names, \", \")"));
  EXPECT_TRUE(includes_what_moved("#include <fmt/ranges.h>\nfmt::join(names, \", \")"));
}

}  // namespace
