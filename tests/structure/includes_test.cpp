// The rooms of src/ may include one another only as the README's map says. Read from the #include
// lines, with a negative control.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// A room, and the rooms it may include. Every room may include its own files and include/sluice,
// whose headers are the contracts between rooms.
const std::map<std::string, std::set<std::string>> kAllowed = {
    {"base", {}},
    {"simd", {}},
    {"codec", {"base", "simd"}},
    {"gguf", {"base"}},
    {"weights", {"base", "codec", "io"}},
    {"linear", {"base", "simd"}},
    {"feedback", {"base", "linear", "codec"}},
    {"model", {"base", "gguf", "linear"}},
    {"checkpoint", {"base", "gguf", "weights"}},
    {"recipe", {"base"}},
    {"tokenizer", {"base", "gguf"}},
    {"imatrix", {"base", "gguf"}},
    {"io", {"base"}},
    {"plan", {"base", "gguf", "recipe", "imatrix", "weights"}},
    {"journal", {"base", "io"}},
    {"engine", {"base", "io"}},
    {"quantize", {"base", "weights", "plan", "codec", "io", "journal", "engine"}},
    {"calibrate",
     {"base", "weights", "linear", "feedback", "model", "plan", "codec", "io", "journal", "engine",
      "imatrix", "quantize"}},
    {"verify", {"base", "gguf", "weights", "codec", "imatrix", "io", "plan", "engine"}},
    {"mix", {"base", "recipe"}},
    {"measure",
     {"base", "weights", "linear", "feedback", "model", "plan", "recipe", "codec", "io", "engine",
      "imatrix", "quantize", "calibrate"}},
    {"forecast", {"base", "weights", "plan", "codec", "io", "engine", "quantize"}},
    {"api",
     {"base", "gguf", "recipe", "imatrix", "plan", "io", "journal", "engine", "quantize", "verify",
      "forecast", "weights", "checkpoint", "tokenizer", "model", "calibrate", "mix", "measure"}},
};

// Libraries that only one room may use.
const std::map<std::string, std::string> kOwnedLibraries = {
    {"boost", "io"}, {"openssl", "io"}, {"tbb", "engine"}, {"yaml-cpp", "checkpoint"}};

struct Include {
  std::string room;    // that includes
  std::string target;  // first folder of what is included
};

std::vector<Include> includes_of(const std::string& room, std::istream& source) {
  static const std::regex kLine(R"(^\s*#\s*include\s*[<"]([^/>"]+)/[^>"]*[>"])");
  std::vector<Include> includes;
  std::smatch match;
  for (std::string line; std::getline(source, line);) {
    if (std::regex_search(line, match, kLine)) includes.push_back({room, match[1]});
  }
  return includes;
}

bool allowed(const Include& include) {
  if (const auto owner = kOwnedLibraries.find(include.target); owner != kOwnedLibraries.end()) {
    return owner->second == include.room;
  }
  if (!kAllowed.contains(include.target) || include.target == include.room) return true;
  return kAllowed.at(include.room).contains(include.target);
}

TEST(Structure, RoomsIncludeOnlyWhatTheMapAllows) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(SLUICE_SOURCE_DIR "/src")) {
    if (!entry.is_regular_file()) continue;
    const fs::path relative = fs::relative(entry.path(), SLUICE_SOURCE_DIR "/src");
    const std::string room = relative.begin()->string();
    ASSERT_TRUE(kAllowed.contains(room)) << "a room that is not on the map: " << room;
    std::ifstream source(entry.path());
    for (const Include& include : includes_of(room, source)) {
      EXPECT_TRUE(allowed(include)) << relative << " includes " << include.target;
    }
    ++files;
  }
  EXPECT_GT(files, 20u);
}

TEST(Structure, PublicHeadersAndToolsIncludeNoRoom) {
  for (const std::string place : {"/include/sluice", "/tools/cli"}) {
    for (const auto& entry : fs::directory_iterator(SLUICE_SOURCE_DIR + place)) {
      std::ifstream source(entry.path());
      for (const Include& include : includes_of("tools", source)) {
        EXPECT_FALSE(kAllowed.contains(include.target) || kOwnedLibraries.contains(include.target))
            << entry.path() << " includes " << include.target;
      }
    }
  }
}

TEST(Structure, TheCheckSeesAForbiddenInclude) {
  std::istringstream source(
      "#include <vector>\n#include \"io/file.h\"\n  #  include <boost/asio.hpp>\n"
      "#include \"sluice/gguf.h\"\n#include \"codec/i_quants/x.h\"\n");
  const std::vector<Include> includes = includes_of("codec", source);
  ASSERT_EQ(includes.size(), 4u);
  EXPECT_FALSE(allowed(includes[0]));
  EXPECT_FALSE(allowed(includes[1]));
  EXPECT_TRUE(allowed(includes[2]));
  EXPECT_TRUE(allowed(includes[3]));
  EXPECT_TRUE(allowed({"io", "boost"}));
  EXPECT_FALSE(allowed({"codec", "tbb"}));
}

}  // namespace
