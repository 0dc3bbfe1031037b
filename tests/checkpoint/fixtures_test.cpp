// Every tiny checkpoint against what llama.cpp's converter made of it: metadata with their types,
// tensors with shapes and types, and, through an executor of its own, every tensor's bytes.

#include <gtest/gtest.h>

#include <algorithm>

#include "checkpoint/listing.h"

namespace sluice::checkpoint {
namespace {

class Fixtures : public ::testing::TestWithParam<std::string> {
 protected:
  // "NAME-bf16": the checkpoint's name, and what the converter was told to write
  const Fixture fixture_{GetParam().substr(0, GetParam().rfind('-'))};
  const bool widened_ = GetParam().ends_with("-f32");
  const json listing_ = read_listing(GetParam());
  const Model model_ = read_checkpoint(fixture_.folder, {});
};

TEST_P(Fixtures, Metadata) {
  std::set<std::string> left_out;
  if (widened_) left_out.insert("general.file_type");
  expect_metadata(model_, listing_, left_out);
}

TEST_P(Fixtures, TensorsAndTheirBytes) {
  expect_tensors(fixture_, model_, listing_, !widened_);
}

std::vector<std::string> listings() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kCheckpoints + "expected")) {
    names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

INSTANTIATE_TEST_SUITE_P(Each, Fixtures, ::testing::ValuesIn(listings()), [](const auto& listing) {
  std::string name = listing.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace sluice::checkpoint
