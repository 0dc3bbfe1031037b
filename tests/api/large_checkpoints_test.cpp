// Checkpoints of the largest models, as their headers and small files have them, against what is
// known of the GGUF models that others made of them.

#include <gtest/gtest.h>

#include <map>

#include "api/model_files.h"
#include "support/sparse_checkpoint.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::SparseCheckpoint;
using testing_support::TempFolder;

/// \param known  of tests/data/mixes
void expect_tensors_of(const std::string& known, const ModelFiles& files) {
  std::map<std::string, const gguf::Tensor*> found;
  for (const gguf::Tensor& tensor : files.model.tensors) found[tensor.name] = &tensor;
  const auto map = nlohmann::json::parse(
      std::ifstream(std::string(SLUICE_TEST_DATA) + "/mixes/" + known + ".map.json"));
  for (const auto& row : map["tensors"]) {
    const std::string name = row[0];
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_EQ(nlohmann::json(found[name]->shape), row[1]) << name;
    EXPECT_EQ(nlohmann::json(sluice::name(found[name]->type)), row[2]) << name;
  }
}

TEST(LargeCheckpoints, DeepseekV3) {
  const TempFolder folder;
  const SparseCheckpoint checkpoint = testing_support::sparse_deepseek_v3();
  ASSERT_EQ(checkpoint.tensors.size(), 91991u);  // as the published index has them
  checkpoint.write(folder / "V3");
  const ModelFiles files = open_model(folder / "V3");
  EXPECT_EQ(files.model.tensors.size(), 1086u);
  expect_tensors_of("deepseek-v3", files);
}

TEST(LargeCheckpoints, Llama4Maverick) {
  const TempFolder folder;
  const std::uint64_t size = testing_support::sparse_llama4_maverick().write(folder / "M");
  EXPECT_GT(size, 800'000'000'000u);
  const ModelFiles files = open_model(folder / "M");
  EXPECT_EQ(files.model.tensors.size(), 531u);
  expect_tensors_of("llama-4-maverick", files);
}

}  // namespace
}  // namespace sluice
