#include "recipe/bias_correction.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace sluice::recipe {
namespace {

std::map<std::string, float> corrections_of(const std::vector<std::string>& names) {
  std::vector<gguf::Tensor> tensors;
  for (const std::string& name : names) {
    gguf::Tensor tensor;
    tensor.name = name;
    tensors.push_back(tensor);
  }
  const std::vector<float> corrections = bias_corrections(tensors);
  std::map<std::string, float> by_name;
  for (std::size_t i = 0; i < names.size(); ++i) by_name[names[i]] = corrections.at(i);
  return by_name;
}

TEST(BiasCorrection, FallsFromTheFirstLayerToTheLast) {
  // By number, not by letter: layer 9 comes before layer 10.
  const auto corrections = corrections_of({"output.weight", "blk.0.ffn_up.weight",
                                           "blk.9.ffn_gate_exps.weight", "blk.10.attn_q.weight"});
  EXPECT_FLOAT_EQ(corrections.at("blk.0.ffn_up.weight"), 1.1f);
  EXPECT_FLOAT_EQ(corrections.at("blk.9.ffn_gate_exps.weight"), 1.1f - 0.35f * 0.9f);
  EXPECT_FLOAT_EQ(corrections.at("blk.10.attn_q.weight"), 0.75f);
}

TEST(BiasCorrection, IsLessForValuesAndTheOutput) {
  const std::map<std::string, float> expected = {
      {"token_embd.weight", 1.0f},          {"output.weight", 0.75f},
      {"blk.0.attn_v.weight", 0.5f},        {"blk.0.attn_output.weight", 0.5f},
      {"blk.0.attn_kv_b.weight", 0.5f},     {"blk.0.attn_k.weight", 1.1f},
      {"blk.0.ffn_down_exps.weight", 1.1f}, {"blk.7.attn_v.weight", 0.5f},
      {"blk.7.ffn_down.weight", 0.75f},     {"blk.7.attn_qkv.weight", 2.0f / 3},
  };
  std::vector<std::string> names;
  for (const auto& [name, correction] : expected) names.push_back(name);
  const auto corrections = corrections_of(names);
  for (const auto& [name, correction] : expected) {
    EXPECT_FLOAT_EQ(corrections.at(name), correction) << name;
  }
}

TEST(BiasCorrection, TheEmbeddingMayBeTheOutput) {
  const auto corrections = corrections_of({"token_embd.weight", "blk.0.ffn_up.weight"});
  EXPECT_FLOAT_EQ(corrections.at("token_embd.weight"), 0.75f);
  EXPECT_FLOAT_EQ(corrections.at("blk.0.ffn_up.weight"), 0.75f);  // the only layer is the last
}

TEST(BiasCorrection, BlocksThatForetellFurtherTokensAreNotTheLastLayer) {
  const auto corrections =
      corrections_of({"output.weight", "blk.30.ffn_down_exps.weight", "blk.60.ffn_down_exps.weight",
                      "blk.61.ffn_down_exps.weight", "blk.61.nextn.eh_proj.weight"});
  EXPECT_FLOAT_EQ(corrections.at("blk.30.ffn_down_exps.weight"), 0.925f);
  EXPECT_FLOAT_EQ(corrections.at("blk.60.ffn_down_exps.weight"), 0.75f);
  EXPECT_FLOAT_EQ(corrections.at("blk.61.ffn_down_exps.weight"), 0.75f);
}

TEST(BiasCorrection, NoTensorsNoCorrections) {
  EXPECT_TRUE(bias_corrections({}).empty());
}

}  // namespace
}  // namespace sluice::recipe
