#include "recipe/bias_correction.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace sluice::recipe {
namespace {

using enum BiasCorrection;

std::map<std::string, BiasCorrection> corrections_of(const std::vector<std::string>& names) {
  std::vector<gguf::Tensor> tensors;
  for (const std::string& name : names) {
    gguf::Tensor tensor;
    tensor.name = name;
    tensors.push_back(tensor);
  }
  const std::vector<BiasCorrection> corrections = bias_corrections(tensors);
  std::map<std::string, BiasCorrection> by_name;
  for (std::size_t i = 0; i < names.size(); ++i) by_name[names[i]] = corrections.at(i);
  return by_name;
}

TEST(BiasCorrection, IsLessForValuesTheLastLayerAndTheOutput) {
  const std::map<std::string, BiasCorrection> expected = {
      {"token_embd.weight", full},           {"output.weight", three_quarters},
      {"blk.0.attn_q.weight", full},         {"blk.0.attn_k.weight", full},
      {"blk.0.attn_v.weight", half},         {"blk.0.attn_output.weight", half},
      {"blk.0.attn_kv_b.weight", half},      {"blk.0.ffn_down.weight", full},
      {"blk.10.ffn_gate_exps.weight", full}, {"blk.11.attn_qkv.weight", three_quarters},
      {"blk.11.attn_v.weight", half},        {"blk.11.ffn_down_exps.weight", three_quarters},
      {"blk.9.ffn_up.weight", full},  // by number, not by letter
  };
  std::vector<std::string> names;
  for (const auto& [name, correction] : expected) names.push_back(name);
  EXPECT_EQ(corrections_of(names), expected);
}

TEST(BiasCorrection, TheEmbeddingMayBeTheOutput) {
  const auto corrections = corrections_of({"token_embd.weight", "blk.0.ffn_up.weight"});
  EXPECT_EQ(corrections.at("token_embd.weight"), three_quarters);
}

TEST(BiasCorrection, BlocksThatForetellFurtherTokensAreNotTheLastLayer) {
  const auto corrections =
      corrections_of({"output.weight", "blk.60.ffn_down_exps.weight", "blk.61.ffn_down_exps.weight",
                      "blk.61.nextn.eh_proj.weight"});
  EXPECT_EQ(corrections.at("blk.60.ffn_down_exps.weight"), three_quarters);
  EXPECT_EQ(corrections.at("blk.61.ffn_down_exps.weight"), full);
}

TEST(BiasCorrection, NoTensorsNoCorrections) {
  EXPECT_TRUE(bias_corrections({}).empty());
}

}  // namespace
}  // namespace sluice::recipe
