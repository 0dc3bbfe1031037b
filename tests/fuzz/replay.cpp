// Feeds files to a fuzzer's function: all of the folders and the files that are named. So the
// corpora run with any compiler, and a crash that was found elsewhere can be looked at.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_of(const std::string& path) {
  std::vector<std::string> files;
  if (!fs::is_directory(path)) return {path};
  for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int count, char** words) {
  std::size_t replayed = 0;
  for (int i = 1; i < count; ++i) {
    for (const std::string& file : files_of(words[i])) {
      std::fprintf(stderr, "%s\n", file.c_str());  // the last one named is the one that failed
      const std::vector<std::byte> bytes = sluice::testing_support::read_file(file);
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ++replayed;
    }
  }
  std::fprintf(stderr, "%zu files\n", replayed);
  return replayed == 0 ? 1 : 0;
}
