// The same models in the other ways that checkpoints spell, stack, quantize and split them. What
// they become does not depend on it, so that the converter's listings hold for these as well.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkpoint/listing.h"
#include "checkpoint/synthetic.h"

namespace sluice::checkpoint {
namespace {

/// Holds a changed checkpoint against the listing of the one that it was made from.
void expect_listing(const Synthetic& checkpoint, const std::string& listing_name,
                    std::size_t parts = 1, const std::set<std::string>& left_out = {}) {
  const auto fixture = checkpoint.make(parts);
  const json listing = read_listing(listing_name);
  const Model model = read_checkpoint(fixture->folder, {});
  expect_metadata(model, listing, left_out);
  expect_tensors(*fixture, model, listing);
}

/// Every weight of a model by its tensor's name.
std::map<std::string, std::vector<float>> all_weights(const Synthetic& checkpoint) {
  const auto fixture = checkpoint.make();
  const Model model = read_checkpoint(fixture->folder, {});
  std::map<std::string, std::vector<float>> weights;
  for (std::size_t i = 0; i < model.weights.sources.size(); ++i) {
    weights[model.header.tensors[i].name] =
        Evaluator(*fixture, model).weights(model.weights.sources[i]);
  }
  return weights;
}

std::vector<std::string> names_ending(const Synthetic& checkpoint, std::string_view end) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (name.ends_with(end)) names.push_back(name);
  }
  return names;
}

TEST(Variants, OutlineSaysWhatTheVocabularyIsReadFor) {
  const Outline outline = outline_of(Synthetic("llama4_scout").make()->folder);
  EXPECT_EQ(outline.architecture, "llama4");
  EXPECT_EQ(outline.vocab_size, 275u);
}

TEST(Variants, PartsMayHoldTensorsInAnyWay) {
  expect_listing(Synthetic("deepseek_v3_fp8"), "deepseek_v3_fp8-bf16", 7);
  expect_listing(Synthetic("mixtral"), "mixtral-bf16", 5);
}

TEST(Variants, PrefixesOfNames) {
  Synthetic bare("qwen3");
  bare.rename_all([](const std::string& name) { return name.substr(name.find('.') + 1); });
  expect_listing(bare, "qwen3-bf16");
  Synthetic inner("gemma3");
  inner.rename_all(
      [](std::string name) { return name.insert(name.find('.') + 1, "language_model."); });
  expect_listing(inner, "gemma3-bf16");
  Synthetic outer("glm4_moe");
  outer.rename_all([](const std::string& name) { return "language_model." + name; });
  expect_listing(outer, "glm4_moe-bf16");
}

TEST(Variants, NestedConfiguration) {
  Synthetic checkpoint("kimi_k2_int4");
  json text = checkpoint.config;
  text["architectures"] = nullptr;
  checkpoint.config = {{"architectures", {"KimiK25ForConditionalGeneration"}},
                       {"hidden_size", 7},
                       {"vision_config", {{"hidden_size", 9}}},
                       {"text_config", text}};
  checkpoint.rename_all([](const std::string& name) { return "language_model." + name; });
  checkpoint.tensors["vision_tower.blocks.0.weight"] = {"BF16", {1}, "ab"};
  checkpoint.tensors["mm_projector.linear.weight"] = {"BF16", {1}, "ab"};
  expect_listing(checkpoint, "kimi_k2_int4-bf16");
}

TEST(Variants, NewerSpellingOfRotaryEmbeddings) {
  Synthetic llama("llama32_tied");
  llama.config["rope_parameters"] = llama.config["rope_scaling"];
  llama.config["rope_parameters"]["rope_theta"] = llama.config["rope_theta"];
  llama.config["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 3}};
  llama.config.erase("rope_theta");
  expect_listing(llama, "llama32_tied-bf16");
  Synthetic gemma("gemma3");
  gemma.config["rope_parameters"] = {
      {"full_attention", {{"rope_type", "default"}, {"rope_theta", 10000.0}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 10000.0}}}};
  gemma.config["rope_theta"] = 77.0;
  gemma.config["rope_local_base_freq"] = 78.0;
  expect_listing(gemma, "gemma3-bf16");
}

/// Takes stacked matrices apart: each becomes `name(e)`, with rows `from` to `to` of all.
void unstack(Synthetic& checkpoint, const SyntheticTensor& stack, std::size_t from, std::size_t to,
             bool transpose, const std::function<std::string(std::size_t)>& name) {
  const std::size_t rows = to - from;
  const std::size_t row_bytes = stack.shape[2] * 2;
  for (std::size_t e = 0; e < stack.shape[0]; ++e) {
    std::string bytes =
        stack.bytes.substr((e * stack.shape[1] + from) * row_bytes, rows * row_bytes);
    std::vector<std::uint64_t> shape = {rows, stack.shape[2]};
    if (transpose) {
      bytes = transposed_bytes(bytes, rows, stack.shape[2], 2);
      std::swap(shape[0], shape[1]);
    }
    checkpoint.tensors[name(e)] = {stack.dtype, shape, bytes};
  }
}

TEST(Variants, ExpertsOneByOneOrStacked) {
  Synthetic checkpoint("qwen3_moe_fused");
  const std::string prefix = "model.layers.0.mlp.experts.";
  const SyntheticTensor up = checkpoint.take(prefix + "gate_up_proj");
  const SyntheticTensor down = checkpoint.take(prefix + "down_proj");
  const auto named = [&](const char* matrix) {
    return [&prefix, matrix](std::size_t e) {
      return fmt::format("{}{}.{}.weight", prefix, e, matrix);
    };
  };
  const std::size_t width = up.shape[1] / 2;
  unstack(checkpoint, up, 0, width, false, named("gate_proj"));
  unstack(checkpoint, up, width, 2 * width, false, named("up_proj"));
  unstack(checkpoint, down, 0, down.shape[1], false, named("down_proj"));
  expect_listing(checkpoint, "qwen3_moe_fused-bf16");
}

/// Stacked matrices, each transposed.
SyntheticTensor transposed_stack(const SyntheticTensor& stack) {
  SyntheticTensor out{stack.dtype, {stack.shape[0], stack.shape[2], stack.shape[1]}, {}};
  const std::size_t matrix = stack.bytes.size() / stack.shape[0];
  for (std::size_t e = 0; e < stack.shape[0]; ++e) {
    out.bytes +=
        transposed_bytes(stack.bytes.substr(e * matrix, matrix), stack.shape[1], stack.shape[2], 2);
  }
  return out;
}

TEST(Variants, StackedExpertsTransposed) {
  Synthetic checkpoint("qwen3_moe_fused");
  for (const std::string name : {"gate_up_proj", "down_proj"}) {
    const std::string stored = "model.layers.0.mlp.experts." + name;
    checkpoint.tensors[stored + ".weight"] = transposed_stack(checkpoint.take(stored));
  }
  expect_listing(checkpoint, "qwen3_moe_fused-bf16");
}

TEST(Variants, Llama4WithOneTensorForEachExpert) {
  Synthetic checkpoint("llama4_scout");
  for (const int layer : {1, 3}) {
    const std::string prefix =
        fmt::format("language_model.model.layers.{}.feed_forward.experts.", layer);
    const SyntheticTensor up = transposed_stack(checkpoint.take(prefix + "gate_up_proj"));
    const SyntheticTensor down = transposed_stack(checkpoint.take(prefix + "down_proj"));
    const auto named = [&](const char* matrix) {
      return [&prefix, matrix](std::size_t e) {
        return fmt::format("{}{}.{}.weight", prefix, e, matrix);
      };
    };
    const std::size_t width = up.shape[1] / 2;
    unstack(checkpoint, up, 0, width, false, named("gate_proj"));
    unstack(checkpoint, up, width, 2 * width, false, named("up_proj"));
    unstack(checkpoint, down, 0, down.shape[1], false, named("down_proj"));
  }
  expect_listing(checkpoint, "llama4_scout-bf16");
}

TEST(Variants, Llama4WithoutWindows) {
  Synthetic checkpoint("llama4_scout");
  checkpoint.config["text_config"]["layer_types"] = {"full_attention", "full_attention"};
  const auto fixture = checkpoint.make();
  const Model model = read_checkpoint(fixture->folder, {});
  EXPECT_EQ(model.header.find("llama4.attention.sliding_window")->as_uint(), 0u);
}

// MXFP4 has few enough bits for BF16 to have them all.
TEST(Variants, GptOssIn16Bits) {
  Synthetic checkpoint("gpt_oss");
  const auto before = all_weights(checkpoint);
  const auto fixture = checkpoint.make();
  const Model model = read_checkpoint(fixture->folder, {});
  const Evaluator evaluator(*fixture, model);
  for (std::size_t i = 0; i < model.weights.stored.size(); ++i) {
    const Stored& stored = model.weights.stored[i];
    if (stored.coding != Coding::mxfp4) continue;
    const Source all = {{View{i, 0, {{stored.elements(), 1}}}}, Change::none, {}};
    checkpoint.take(stored.name + "_blocks");
    checkpoint.take(stored.name + "_scales");
    checkpoint.tensors[stored.name] =
        transposed_stack({"BF16", stored.shape, bf16_bytes(evaluator.weights(all))});
  }
  checkpoint.config.erase("quantization_config");
  EXPECT_EQ(all_weights(checkpoint), before);
}

TEST(Variants, Gemma2) {
  Synthetic checkpoint("gemma3");
  for (const std::string& name : names_ending(checkpoint, "q_norm.weight")) checkpoint.take(name);
  for (const std::string& name : names_ending(checkpoint, "k_norm.weight")) checkpoint.take(name);
  checkpoint.tensors["lm_head.weight"] = checkpoint.tensors["model.embed_tokens.weight"];
  checkpoint.config["architectures"] = {"Gemma2ForCausalLM"};
  checkpoint.config["attn_logit_softcapping"] = 50.0;
  checkpoint.config["final_logit_softcapping"] = 30;
  const auto fixture = checkpoint.make();
  const Model model = read_checkpoint(fixture->folder, {});
  const std::map<std::string, json> expected = {{"general.architecture", "gemma2"},
                                                {"general.type", "model"},
                                                {"general.name", "Gemma3"},
                                                {"general.size_label", "34K"},
                                                {"general.file_type", 32},
                                                {"general.quantization_version", 2},
                                                {"gemma2.block_count", 2},
                                                {"gemma2.context_length", 512},
                                                {"gemma2.embedding_length", 32},
                                                {"gemma2.feed_forward_length", 64},
                                                {"gemma2.attention.head_count", 4},
                                                {"gemma2.attention.head_count_kv", 2},
                                                {"gemma2.attention.layer_norm_rms_epsilon", 1e-6f},
                                                {"gemma2.attention.key_length", 16},
                                                {"gemma2.attention.value_length", 16},
                                                {"gemma2.attention.sliding_window", 512},
                                                {"gemma2.attn_logit_softcapping", 50.0},
                                                {"gemma2.final_logit_softcapping", 30.0}};
  std::map<std::string, json> found;
  for (const auto& [key, value] : model.header.metadata) found[key] = value_of(value);
  EXPECT_EQ(found, expected);
  json listing = read_listing("gemma3-bf16");
  auto& tensors = listing["tensors"];
  for (std::size_t i = tensors.size(); i-- > 0;) {
    const std::string name = tensors[i]["name"];
    if (name.ends_with("q_norm.weight") || name.ends_with("k_norm.weight")) tensors.erase(i);
  }
  expect_tensors(*fixture, model, listing);
  ASSERT_EQ(model.skipped.size(), 1u);
  EXPECT_EQ(model.skipped[0].name, "lm_head.weight");
}

TEST(Variants, Gemma3WithoutWhatItsClassHasByDefault) {
  Synthetic checkpoint("gemma3");
  for (const char* const key : {"max_position_embeddings", "num_attention_heads",
                                "num_key_value_heads", "head_dim", "rope_theta", "rms_norm_eps"}) {
    checkpoint.config.erase(key);
  }
  checkpoint.config["vocab_size"] = 290;
  checkpoint.config["sliding_window_pattern"] = 1;
  const auto fixture = checkpoint.make();
  const gguf::Header header = read_checkpoint(fixture->folder, {}).header;
  EXPECT_EQ(header.find("gemma3.context_length")->as_uint(), 131072u);
  EXPECT_EQ(header.find("gemma3.attention.head_count")->as_uint(), 8u);
  EXPECT_EQ(header.find("gemma3.attention.head_count_kv")->as_uint(), 4u);
  EXPECT_EQ(header.find("gemma3.attention.key_length")->as_uint(), 256u);
  EXPECT_EQ(header.find("gemma3.rope.freq_base")->as_float(), 1e6);
  EXPECT_EQ(header.find("gemma3.attention.sliding_window"), nullptr);
  const auto embedding =
      std::ranges::find(header.tensors, std::string("token_embd.weight"), &gguf::Tensor::name);
  EXPECT_EQ(embedding->shape, (std::vector<std::uint64_t>{32, 290}));
  // Where the file does not say how large the vocabulary is, its tokens do.
  checkpoint.config.erase("vocab_size");
  const std::vector<std::string> tokens(288, "t");
  const Model model = read_checkpoint(checkpoint.make()->folder,
                                      {{"tokenizer.ggml.tokens", gguf::Value::of_strings(tokens)}});
  EXPECT_EQ(model.header.metadata.back().key, "tokenizer.ggml.tokens");
  EXPECT_EQ(
      std::ranges::find(model.header.tensors, std::string("token_embd.weight"), &gguf::Tensor::name)
          ->shape[1],
      288u);
}

// A dense model whose feed-forward part becomes experts, one of them shared.
TEST(Variants, Qwen2Moe) {
  Synthetic checkpoint("qwen2");
  checkpoint.config.update({{"architectures", {"Qwen2MoeForCausalLM"}},
                            {"num_experts", 2},
                            {"num_experts_per_tok", 1},
                            {"moe_intermediate_size", 64},
                            {"shared_expert_intermediate_size", 64}});
  for (const std::string matrix : {"gate", "up", "down"}) {
    for (const std::string& name : names_ending(checkpoint, ".mlp." + matrix + "_proj.weight")) {
      const SyntheticTensor dense = checkpoint.take(name);
      const std::string mlp = name.substr(0, name.find(matrix + "_proj"));
      for (const char* const expert : {"experts.0.", "experts.1.", "shared_expert."}) {
        checkpoint.tensors[mlp + expert + matrix + "_proj.weight"] = dense;
      }
      checkpoint.tensors[mlp + "gate.weight"] = {"BF16", {2, 32}, std::string(128, '\1')};
      checkpoint.tensors[mlp + "shared_expert_gate.weight"] = {
          "BF16", {1, 32}, std::string(64, '\1')};
    }
  }
  const auto dense = all_weights(Synthetic("qwen2"));
  const auto fixture = checkpoint.make(2);
  const Model model = read_checkpoint(fixture->folder, {});
  const auto number = [&](const char* key) { return model.header.find(key)->as_uint(); };
  EXPECT_EQ(number("qwen2moe.expert_count"), 2u);
  EXPECT_EQ(number("qwen2moe.expert_used_count"), 1u);
  EXPECT_EQ(number("qwen2moe.expert_feed_forward_length"), 64u);
  EXPECT_EQ(number("qwen2moe.expert_shared_feed_forward_length"), 64u);
  const auto mixed = all_weights(checkpoint);
  for (const auto& [name, weights] : dense) {
    const std::size_t part = name.find(".ffn_");
    if (part == std::string::npos || name.find("_norm") != std::string::npos) {
      EXPECT_EQ(mixed.at(name), weights) << name;
      continue;
    }
    const std::string stem = name.substr(0, name.find(".weight"));
    EXPECT_EQ(mixed.at(stem + "_shexp.weight"), weights);
    std::vector<float> twice = weights;
    twice.insert(twice.end(), weights.begin(), weights.end());
    EXPECT_EQ(mixed.at(stem + "_exps.weight"), twice);
  }
  const auto router = std::ranges::find(
      model.header.tensors, std::string("blk.0.ffn_gate_inp_shexp.weight"), &gguf::Tensor::name);
  ASSERT_NE(router, model.header.tensors.end());
  EXPECT_EQ(router->type, TensorType::f32);
  EXPECT_EQ(router->shape, (std::vector<std::uint64_t>{32, 1}));
}

// Mistral 7B and Nemo: Mistral Small's text model under another class.
TEST(Variants, MistralNemo) {
  Synthetic checkpoint("mistral_small3");
  json config = checkpoint.config["text_config"];
  config["architectures"] = {"MistralForCausalLM"};
  checkpoint.config = config;
  const auto small = all_weights(Synthetic("mistral_small3"));
  EXPECT_EQ(all_weights(checkpoint), small);
  const auto fixture = checkpoint.make();
  const gguf::Header header = read_checkpoint(fixture->folder, {}).header;
  for (const json& pair : read_listing("mistral_small3-bf16")["kv"]) {
    std::string key = pair["key"];
    if (!key.starts_with("mistral3.")) continue;
    key.replace(0, std::string("mistral3").size(), "llama");
    ASSERT_NE(header.find(key), nullptr) << key;
    EXPECT_EQ(value_of(*header.find(key)), pair["value"]) << key;
  }
}

TEST(Variants, Phi4HasNoWindow) {
  Synthetic checkpoint("phi3");
  checkpoint.config["rope_scaling"] = nullptr;
  checkpoint.config["sliding_window"] = nullptr;
  const auto fixture = checkpoint.make();
  const Model model = read_checkpoint(fixture->folder, {});
  EXPECT_EQ(model.header.find("phi3.attention.sliding_window")->as_uint(), 0u);
  EXPECT_EQ(model.header.find("phi3.rope.scaling.attn_factor"), nullptr);
  EXPECT_EQ(model.header.find("phi3.rope.scaling.original_context_length")->as_uint(), 4096u);
  EXPECT_EQ(model.header.tensors.front().name, "token_embd.weight");
}

TEST(Variants, Ministral3) {
  Synthetic checkpoint("mistral_small3");
  json& text = checkpoint.config["text_config"];
  text["model_type"] = "ministral3";
  text.erase("rope_theta");
  text["rope_parameters"] = {{"type", "yarn"},
                             {"factor", 16.0},
                             {"rope_theta", 1000000000.0},
                             {"original_max_position_embeddings", 16384},
                             {"beta_fast", 32.0},
                             {"beta_slow", 1.0},
                             {"mscale_all_dim", 1.0},
                             {"llama_4_scaling_beta", 0.1}};
  const auto fixture = checkpoint.make();
  const Model model = read_checkpoint(fixture->folder, {});
  const std::map<std::string, json> expected = {{"scaling.type", "yarn"},
                                                {"scaling.factor", 16.0},
                                                {"scaling.original_context_length", 16384},
                                                {"scaling.yarn_beta_fast", 32.0},
                                                {"scaling.yarn_beta_slow", 1.0},
                                                {"scaling.yarn_log_multiplier", 1.0},
                                                {"freq_base", 1000000000.0},
                                                {"dimension_count", 16}};
  std::map<std::string, json> found;
  const std::string prefix = "mistral3.rope.";
  for (const auto& [key, value] : model.header.metadata) {
    if (key.starts_with(prefix)) found[key.substr(prefix.size())] = value_of(value);
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(model.header.find("mistral3.attention.temperature_scale")->as_float(), 0.1f);
  expect_tensors(*fixture, model, read_listing("mistral_small3-bf16"));
}

TEST(Variants, LayersThatGuessMoreTokens) {
  Synthetic checkpoint("qwen3_next");
  checkpoint.tensors["mtp.fc.weight"] = {"BF16", {1}, "ab"};
  checkpoint.tensors["mtp.layers.0.mlp.experts.0.up_proj.weight"] = {"BF16", {1}, "ab"};
  expect_listing(checkpoint, "qwen3_next-bf16");
}

TEST(Variants, TiedEmbeddings) {
  Synthetic qwen("qwen3");
  qwen.tensors["lm_head.weight"] = qwen.tensors["model.embed_tokens.weight"];
  const auto fixture = qwen.make();
  EXPECT_EQ(read_checkpoint(fixture->folder, {}).header.tensors.back().name, "output_norm.weight");
  EXPECT_TRUE(all_weights(qwen).contains("output.weight"));
  Synthetic deepseek("deepseek_v2_lite");
  deepseek.config["tie_word_embeddings"] = true;
  EXPECT_FALSE(all_weights(deepseek).contains("output.weight"));
}

}  // namespace
}  // namespace sluice::checkpoint
