// Experts as wide as Llama 4's, transposed, within budgets that hold not even one of them.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/process.h"
#include "support/sparse_checkpoint.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;

constexpr std::uint64_t kRow = 5120;
constexpr std::uint64_t kInside = 8192;
constexpr std::uint64_t kExperts = 2;

/// Two layers, of which the second has experts of 250 MB.
SparseCheckpoint wide_experts() {
  SparseCheckpoint checkpoint("llama4_scout");
  checkpoint.part_bytes = 1 << 30;
  checkpoint.config["text_config"].update({{"hidden_size", kRow},
                                           {"intermediate_size", kInside},
                                           {"num_hidden_layers", 2},
                                           {"num_local_experts", kExperts},
                                           {"no_rope_layers", nullptr}});
  const auto bf16 = [&](const std::string& name, std::vector<std::uint64_t> shape) {
    checkpoint.add("language_model." + name, "BF16", std::move(shape));
  };
  const auto mlp = [&](const std::string& name, std::uint64_t width) {
    bf16(name + ".gate_proj.weight", {width, kRow});
    bf16(name + ".up_proj.weight", {width, kRow});
    bf16(name + ".down_proj.weight", {kRow, width});
  };
  for (const std::string layer : {"model.layers.0", "model.layers.1"}) {
    for (const std::string name : {".q_proj.weight", ".k_proj.weight", ".v_proj.weight"}) {
      bf16(layer + ".self_attn" + name, {name == ".q_proj.weight" ? 32u : 16u, kRow});
    }
    bf16(layer + ".self_attn.o_proj.weight", {kRow, 32});
    bf16(layer + ".input_layernorm.weight", {kRow});
    bf16(layer + ".post_attention_layernorm.weight", {kRow});
  }
  mlp("model.layers.0.feed_forward", 48);
  mlp("model.layers.1.feed_forward.shared_expert", kInside);
  bf16("model.layers.1.feed_forward.router.weight", {kExperts, kRow});
  bf16("model.layers.1.feed_forward.experts.gate_up_proj", {kExperts, kRow, 2 * kInside});
  bf16("model.layers.1.feed_forward.experts.down_proj", {kExperts, kInside, kRow});
  bf16("model.embed_tokens.weight", {275, kRow});
  bf16("model.norm.weight", {kRow});
  bf16("lm_head.weight", {275, kRow});
  return checkpoint;
}

/// What is made, and within how many MiB.
struct Task {
  const char* type;
  std::uint64_t budget;
};

class TransposedExperts : public testing::TestWithParam<Task> {};

TEST_P(TransposedExperts, FitTheBudget) {
  const TempFolder folder;
  wide_experts().write(folder / "m");
  const std::string report_file = folder / "report.json";
  const Finished done =
      run({SLUICE_PROGRAM, "quantize", "--pre", "default", "--ignore-imatrix-rules", "--memory",
           std::to_string(GetParam().budget) + "M", "--report", report_file, folder / "m",
           folder / "out.gguf", GetParam().type, "2"});
  ASSERT_EQ(done.status, 0) << done.errors;
  std::ifstream file(report_file);
  const auto report = nlohmann::json::parse(file);
  EXPECT_LE(report["peak_anon_bytes"].get<std::uint64_t>(), GetParam().budget << 20);
  // Each byte of the experts once.
  const std::uint64_t experts = kExperts * 3 * kInside * kRow * 2;
  EXPECT_LE(report["read_bytes"].get<std::uint64_t>(), experts * 3 / 2 + (experts >> 3));
  EXPECT_GE(report["read_bytes"].get<std::uint64_t>(), experts);
}

INSTANTIATE_TEST_SUITE_P(Types, TransposedExperts,
                         testing::Values(Task{"IQ1_M", 128}, Task{"Q4_K_M", 128},
                                         Task{"BF16", 512}),
                         [](const auto& test) { return std::string(test.param.type); });

}  // namespace
