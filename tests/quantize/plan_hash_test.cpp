// A run goes on only with what another has begun if each byte comes from the same place, in the same
// way.

#include <map>

#include "conversion.h"
#include "support/temp_folder.h"
#include "wide_experts.h"

namespace sluice {
namespace {

using testing_support::TempFolder;

class PlanHash : public testing::Test {
 protected:
  /// Where each tensor comes from.
  std::map<std::string, std::uint64_t> hashes(const checkpoint::Synthetic& model,
                                              std::size_t parts = 1) {
    const std::string path = folder_ / std::to_string(made_++) + "/m";
    model.write(path, parts);
    const Conversion conversion(path, "Q8_0");
    std::map<std::string, std::uint64_t> found;
    for (const PlannedTensor& tensor : conversion.plan().tensors) {
      found[tensor.name] = tensor.source_hash;
    }
    plan_hash_ = hash_of(conversion.plan());
    return found;
  }

  const TempFolder folder_;
  int made_ = 0;
  std::uint64_t plan_hash_ = 0;
};

TEST_F(PlanHash, BindsPlaces) {
  const checkpoint::Synthetic model = wide_experts();
  const auto once = hashes(model);
  const std::uint64_t plan_hash = plan_hash_;
  EXPECT_EQ(hashes(model), once);
  EXPECT_EQ(plan_hash_, plan_hash);
  EXPECT_NE(hashes(model, 2), once);
  EXPECT_NE(plan_hash_, plan_hash);
}

TEST_F(PlanHash, BindsTheOrderOfRows) {
  checkpoint::Synthetic model("llama2_spm");
  const auto once = hashes(model);
  model.config["num_attention_heads"] = 2;
  model.config["num_key_value_heads"] = 2;
  const auto other = hashes(model);
  EXPECT_NE(other.at("blk.0.attn_q.weight"), once.at("blk.0.attn_q.weight"));
  EXPECT_EQ(other.at("blk.0.attn_v.weight"), once.at("blk.0.attn_v.weight"));
}

TEST_F(PlanHash, BindsCodings) {
  checkpoint::Synthetic model("deepseek_v3_fp8");
  const auto once = hashes(model);
  for (auto& [name, tensor] : model.tensors) {
    if (tensor.dtype == "F8_E4M3") tensor.dtype = "F8_E5M2";
  }
  const auto other = hashes(model);
  EXPECT_NE(other.at("blk.0.ffn_down.weight"), once.at("blk.0.ffn_down.weight"));
  EXPECT_EQ(other.at("output_norm.weight"), once.at("output_norm.weight"));
}

}  // namespace
}  // namespace sluice
