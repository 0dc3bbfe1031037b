// What a checkpoint may have wrong, and what is said about it.

#include <fmt/format.h>

#include <functional>

#include "base/checked.h"
#include "checkpoint/listing.h"
#include "checkpoint/refusal.h"

namespace sluice::checkpoint {
namespace {

TEST(Refusals, TensorsThatAreNothing) {
  Synthetic checkpoint("qwen3");
  checkpoint.tensors["model.layers.0.self_attn.r_proj.weight"] = {"BF16", {1}, "ab"};
  expect_refused(
      checkpoint, ErrorCode::input_format,
      "tensor 'model.layers.0.self_attn.r_proj.weight': sluice does not know what it is");
  Synthetic beyond("qwen3");
  beyond.tensors["model.layers.2.input_layernorm.weight"] = {"BF16", {1}, "ab"};
  expect_refused(beyond, ErrorCode::input_format, "the model has 2 layers only");
  Synthetic twice("qwen3");
  twice.tensors["norm.weight"] = twice.tensors["model.norm.weight"];
  expect_refused(twice, ErrorCode::input_format, "another tensor is output_norm.weight as well");
  Synthetic padded("qwen3");
  padded.tensors["model.layers.00.input_layernorm.weight"] = {"BF16", {1}, "ab"};
  expect_refused(padded, ErrorCode::input_format, "layers.00.input_layernorm");
  Synthetic kind("qwen3");
  kind.tensors["model.norm.weight"] = {"I64", {1}, "abcdefgh"};
  expect_refused(kind, ErrorCode::input_type, "its elements are I64");
  Synthetic empty("qwen3");
  empty.tensors["model.norm.weight"] = {"BF16", {0}, ""};
  expect_refused(empty, ErrorCode::input_format, "tensor 'model.norm.weight': it is empty");
}

TEST(Refusals, WhatIsMissing) {
  Synthetic expert("qwen3_moe");
  expert.take("model.layers.0.mlp.experts.10.up_proj.weight");
  expect_refused(expert, ErrorCode::input_format,
                 "tensor 'blk.0.ffn_up_exps.weight': expert 10 of 12 is missing");
  Synthetic last("qwen3_moe");
  last.take("model.layers.0.mlp.experts.11.up_proj.weight");
  expect_refused(last, ErrorCode::input_format, "expert 11 of 12 is missing");
  Synthetic all("qwen3_moe_fused");
  all.take("model.layers.0.mlp.experts.down_proj");
  expect_refused(all, ErrorCode::input_format,
                 "tensor 'blk.0.ffn_down_exps.weight': no stored tensor is it");
  Synthetic more("qwen3_moe");
  more.config["num_experts"] = 8;
  expect_refused(more, ErrorCode::input_format, "there is an expert 11, and config.json knows 8");
  Synthetic other("qwen3_moe");
  other.tensors["model.layers.0.mlp.experts.10.up_proj.weight"].shape = {8, 80};
  expect_refused(other, ErrorCode::input_format, "other experts have another shape");
  Synthetic layer("qwen3");
  layer.config["num_hidden_layers"] = 3;
  expect_refused(layer, ErrorCode::input_format, "nothing is there of layer 2 of 3");
  Synthetic embedding("qwen3");
  embedding.take("model.embed_tokens.weight");
  expect_refused(embedding, ErrorCode::input_format, "'token_embd.weight': no stored tensor is it");
  Synthetic scale("deepseek_v3_fp8");
  scale.take("model.layers.1.mlp.experts.2.up_proj.weight_scale_inv");
  expect_refused(scale, ErrorCode::input_format,
                 "tensor 'model.layers.1.mlp.experts.2.up_proj.weight': its factors are missing: "
                 "no tensor model.layers.1.mlp.experts.2.up_proj.weight_scale_inv");
  Synthetic weight("deepseek_v3_fp8");
  weight.take("model.layers.1.mlp.experts.2.up_proj.weight");
  expect_refused(weight, ErrorCode::input_format, "there is no weight that it belongs to");
  Synthetic blocks("gpt_oss");
  blocks.take("model.layers.0.mlp.experts.down_proj_scales");
  expect_refused(blocks, ErrorCode::input_format, "its factors are missing");
}

TEST(Refusals, ShapesThatDoNotFit) {
  struct Case {
    const char* checkpoint;
    const char* tensor;
    std::vector<std::uint64_t> shape;  ///< of as many elements
    const char* what;
  };
  const std::vector<Case> cases = {
      {"llama32_tied",
       "model.layers.0.self_attn.q_proj.weight",
       {6, 512},
       "an extent of 6 should have 4 equal parts"},
      {"llama32_tied",
       "model.layers.0.self_attn.k_proj.weight",
       {2, 8, 96},
       "it has 3 extents, and 2 are expected"},
      {"llama4_scout",
       "language_model.model.layers.1.feed_forward.experts.gate_up_proj",
       {4 * 32 * 48, 1, 1},
       "an extent of 1 should have 2 equal parts"},
      {"deepseek_v2_lite",
       "model.layers.0.self_attn.kv_b_proj.weight",
       {32, 48},
       "its rows are not those of the heads in config.json"},
      {"qwen3_next",
       "model.layers.0.linear_attn.in_proj_qkvz.weight",
       {48, 64},
       "its rows are not those of the heads in config.json"},
      {"qwen3_next",
       "model.layers.0.linear_attn.conv1d.weight",
       {32, 2, 4},
       "its middle extent is not 1"},
      {"qwen3_5",
       "model.language_model.layers.0.linear_attn.in_proj_qkv.weight",
       {40, 64},
       "its extents are not those of the heads in config.json"},
      {"qwen3_5",
       "model.language_model.layers.0.linear_attn.conv1d.weight",
       {80, 2, 2},
       "its extents are not those of the heads in config.json"},
      {"qwen3_5",
       "model.language_model.layers.0.linear_attn.out_proj.weight",
       {48, 32},
       "its extents are not those of the heads in config.json"},
      {"qwen3_5",
       "model.language_model.layers.0.linear_attn.in_proj_a.weight",
       {3, 64},
       "its extents are not those of the heads in config.json"},
      {"qwen3_5",
       "model.language_model.layers.0.linear_attn.A_log",
       {2, 3},
       "it has 2 extents, and 1 are expected"},
      {"qwen3_moe_fused",
       "model.layers.0.mlp.experts.down_proj",
       {4, 32, 20},
       "it is of 32 x 20, and expected is 40 x 16"},
      {"gpt_oss",
       "model.layers.0.mlp.experts.gate_up_proj_scales",
       {4, 32, 4},
       "it is no byte for each block"},
      {"gpt_oss",
       "model.layers.0.mlp.experts.gate_up_proj_blocks",
       {4, 64, 4, 8},
       "it has no blocks of 16 bytes"},
      {"qwen3", "model.norm.weight", {1, 2, 2, 2, 5}, "it has more than four extents"},
  };
  for (const Case& c : cases) {
    Synthetic checkpoint(c.checkpoint);
    checkpoint.tensors.at(c.tensor).shape = c.shape;
    expect_refused(checkpoint, ErrorCode::input_format, c.what);
    expect_refused(checkpoint, ErrorCode::input_format, c.tensor);
  }
}

TEST(Refusals, QuantizationThatIsNotRead) {
  const auto quantized = [](const char* name, json config) {
    Synthetic checkpoint(name);
    checkpoint.config["quantization_config"] = std::move(config);
    return checkpoint;
  };
  for (const char* const method : {"gptq", "awq", "bitsandbytes", "quark"}) {
    expect_refused(quantized("qwen3", {{"quant_method", method}}), ErrorCode::input_type, method);
  }
  expect_refused(quantized("qwen3", json::object()), ErrorCode::input_type, "no method");
  expect_refused(
      quantized("qwen3", {{"quant_method", "compressed-tensors"}, {"format", "mxfp8-quantized"}}),
      ErrorCode::input_type, "mxfp8-quantized");
  const auto group = [](json weights) {
    return json{{"quant_method", "compressed-tensors"},
                {"format", "pack-quantized"},
                {"config_groups", {{"g", {{"weights", std::move(weights)}}}}}};
  };
  const json sound = {{"num_bits", 4}, {"type", "int"}, {"strategy", "group"}, {"group_size", 32}};
  json changed = sound;
  changed["symmetric"] = false;
  expect_refused(quantized("kimi_k2_int4", group(changed)), ErrorCode::input_type, "zero points");
  changed = sound;
  changed["actorder"] = "group";
  expect_refused(quantized("kimi_k2_int4", group(changed)), ErrorCode::input_type, "actorder");
  changed = sound;
  changed["num_bits"] = 3;
  expect_refused(quantized("kimi_k2_int4", group(changed)), ErrorCode::input_type, "3 bits");
  json several = group(sound);
  several["config_groups"]["h"]["weights"] = {{"num_bits", 8}, {"strategy", "channel"}};
  expect_refused(quantized("kimi_k2_int4", several), ErrorCode::input_type, "several ways");
  changed = sound;
  changed["group_size"] = 16;
  expect_refused(quantized("kimi_k2_int4", group(changed)), ErrorCode::input_format,
                 "do not fit the weights");
  Synthetic blocks("deepseek_v3_fp8");
  blocks.config["quantization_config"]["weight_block_size"] = {128, 64};
  expect_refused(blocks, ErrorCode::input_format, "do not fit the weights");
  blocks.config["quantization_config"]["weight_block_size"] = {128, 0};
  expect_refused(blocks, ErrorCode::input_format, "key 'quantization_config.weight_block_size'");
}

TEST(Refusals, ConfigurationsThatAreNone) {
  Synthetic unknown("qwen3");
  unknown.config["architectures"] = {"MambaForCausalLM"};
  expect_refused(unknown, ErrorCode::input_type, "models of the class MambaForCausalLM");
  unknown.config.erase("architectures");
  expect_refused(unknown, ErrorCode::input_format, "key 'architectures': it names no model");
  Synthetic kind("llama32_tied");
  kind.config["rope_scaling"]["factor"] = "8";
  expect_refused(kind, ErrorCode::input_format,
                 "config.json: key 'rope_scaling.factor': expected is a number");
  Synthetic missing("llama2_spm");
  missing.config.erase("num_hidden_layers");
  expect_refused(missing, ErrorCode::input_format,
                 "key 'n_layers': it is missing, as are the other");
  Synthetic gating("glm4_moe");
  gating.config["scoring_func"] = "dice";
  expect_refused(gating, ErrorCode::input_format, "'dice'");
  Synthetic positions("smollm3");
  positions.config["no_rope_layer_interval"] = 3;
  expect_refused(positions, ErrorCode::input_format, "key 'no_rope_layer_interval': expected is 4");
  Synthetic sections("glm4");
  sections.config["rope_scaling"] = {{"mrope_section", {8, 12, 12}}};
  expect_refused(sections, ErrorCode::input_format, "sections of positions");
  const auto fixture = Synthetic("qwen3").make();
  fixture->folder.texts["config.json"] = std::string(100000, '[');
  EXPECT_THROW(read_checkpoint(fixture->folder, {}), Error);
  fixture->folder.texts.erase("config.json");
  EXPECT_THROW(read_checkpoint(fixture->folder, {}), Error);
}

/// Calls `visit` with every configuration that has one value replaced or taken out.
void for_each_change(const json& config, const json& values,
                     const std::function<void(const json&, const std::string&)>& visit) {
  const json flat = config.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    const json::json_pointer place(pointer);
    for (const json& other : values) {
      json changed = config;
      changed[place] = other;
      visit(changed, pointer + " = " + other.dump());
    }
    if (place.parent_pointer().empty()) {
      json changed = config;
      changed.erase(place.back());
      visit(changed, pointer + " taken out");
    }
  }
}

class HostileConfigurations : public ::testing::TestWithParam<std::string> {};

// Whatever a key says, the model is sound or the error clear: no crash, no view beyond its tensor,
// no allocation by what a number promises.
TEST_P(HostileConfigurations, LeadToSoundModelsOrClearErrors) {
  const Synthetic checkpoint(GetParam());
  const auto fixture = checkpoint.make();
  const json values = {nullptr, -1,  0,    1,  3,     65537,         4294967295,
                       1e300,   0.5, true, "", "x\n", json::array(), json::object(),
                       {1, "a"}};
  std::size_t refused = 0;
  std::size_t read = 0;
  for_each_change(checkpoint.config, values, [&](const json& config, const std::string& change) {
    fixture->folder.texts["config.json"] = config.dump();
    try {
      expect_sound(read_checkpoint(fixture->folder, {}));
      ++read;
    } catch (const Error& error) {
      EXPECT_FALSE(error.context().file.empty()) << change << ": " << error.what();
      EXPECT_FALSE(error.context().cure.empty()) << change << ": " << error.what();
      ++refused;
    }
    if (testing::Test::HasFatalFailure()) ADD_FAILURE() << change;
  });
  EXPECT_GT(refused, 50u);
  EXPECT_GT(read, 50u);
}

std::string name_of(const ::testing::TestParamInfo<std::string>& fixture) {
  return fixture.param;
}

INSTANTIATE_TEST_SUITE_P(Each, HostileConfigurations,
                         ::testing::Values("bailing_moe2", "deepseek_v3_fp8", "ernie4_5_moe",
                                           "gemma3", "glm4_moe", "gpt_oss", "kimi_k2_int4",
                                           "llama32_tied", "llama4_scout", "llama_fp8_ct",
                                           "minimax_m2_fp8", "mistral_small3", "mixtral", "phi3",
                                           "qwen2", "qwen3_moe", "qwen3_moe_fused", "qwen3_next",
                                           "qwen3_5", "mimo2_fp8", "step35"),
                         name_of);

}  // namespace
}  // namespace sluice::checkpoint
