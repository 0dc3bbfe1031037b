// Indices of checkpoints, of any text, and the parts that they ask for.
//
// Input: the text.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/folder.h"
#include "fuzz/expect.h"

namespace sluice::fuzzing {
namespace {

/// No part is outside the folder; those that are not there are asked for.
void expect_parts(const checkpoint::Index& index) {
  std::vector<std::string> files;
  for (const auto& [tensor, part] : index.parts) {
    FUZZ_EXPECT(part.find('/') == part.npos && part.ends_with(".safetensors"));
    files.push_back(part);
  }
  try {
    const std::vector<std::string> parts = checkpoint::part_files(kFile, files, index);
    FUZZ_EXPECT(std::ranges::is_sorted(parts) && !parts.empty());
    files.clear();
    (void)checkpoint::part_files(kFile, files, index);
    FUZZ_EXPECT(false);
  } catch (const Error& error) {
    expect_clear(error);
  }
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::fuzzing;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    expect_parts(checkpoint::parse_index(text, kFile));
  } catch (const Error& error) {
    expect_clear(error);
  }
  return 0;
}
