#pragma once

// Random models of the families without experts, with the keys, names and shapes that llama.cpp asks for.

#include "support/random_model.h"

namespace sluice::testing_support::random_families {

constexpr std::uint32_t kFeedForward = 96;

inline RandomModel& scaled(RandomModel& model, std::string_view type, float factor,
                           std::uint32_t original_context) {
  model.string("rope.scaling.type", type).f32("rope.scaling.factor", factor);
  return model.u32("rope.scaling.original_context_length", original_context);
}

/// Attention, a norm and a feed-forward part in each layer.
inline void add_dense(RandomModel& model, const RandomAttention& attention, std::uint32_t layers) {
  attention.describe(model);
  model.u32("feed_forward_length", kFeedForward);
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    add_feed_forward(model, layer, kFeedForward);
  }
}

inline Bytes llama() {
  RandomModel model("llama", 3);
  add_dense(model, {}, 3);
  model.factors("rope_freqs.weight", 8);
  return model.build();
}

/// The embedding is the output matrix too; every bias that a file may have.
inline Bytes llama_biased() {
  RandomModel model("llama", 2);
  add_dense(model, {.biases = true}, 2);
  for (std::uint32_t layer = 0; layer < 2; ++layer) {
    model.bias(blk(layer, "attn_output.bias"), {RandomModel::kWidth});
    model.bias(blk(layer, "ffn_gate.bias"), {kFeedForward});
    model.bias(blk(layer, "ffn_up.bias"), {kFeedForward});
    model.bias(blk(layer, "ffn_down.bias"), {RandomModel::kWidth});
  }
  return scaled(model, "linear", 2, 64).build(false);
}

inline Bytes mistral3() {
  RandomModel model("mistral3", 3);
  add_dense(model, {.head_size = 24, .rotated = 24}, 3);
  scaled(model, "yarn", 16, 32).f32("rope.scaling.yarn_log_multiplier", 1);
  model.f32("rope.scaling.yarn_beta_fast", 32).f32("rope.scaling.yarn_beta_slow", 1);
  model.f32("attention.temperature_scale", 0.1f);
  return model.build();
}

inline Bytes qwen2(const std::string& architecture = "qwen2") {
  RandomModel model(architecture, 3);
  add_dense(model, {.biases = true}, 3);
  scaled(model, "yarn", 4, 256);
  return model.build();
}

inline Bytes qwen3() {
  RandomModel model("qwen3", 3);
  add_dense(model, {.head_size = 24, .rotated = 24, .norms = true}, 3);
  return model.build(false);
}

/// Norms after attention and after the feed-forward part too.
inline void add_gemma(RandomModel& model, const RandomAttention& attention, std::uint32_t layers) {
  add_dense(model, attention, layers);
  model.u32("attention.sliding_window", 16);
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    model.norm(blk(layer, "post_attention_norm.weight"), RandomModel::kWidth);
    model.norm(blk(layer, "post_ffw_norm.weight"), RandomModel::kWidth);
  }
}

inline Bytes gemma2() {
  RandomModel model("gemma2", 4);
  add_gemma(model, {.head_size = 24, .rotated = 24}, 4);
  model.f32("attn_logit_softcapping", 4).f32("final_logit_softcapping", 5);
  return model.build(false);
}

inline Bytes gemma3() {
  RandomModel model("gemma3", 7);
  add_gemma(model, {.head_size = 24, .rotated = 24, .norms = true}, 7);
  scaled(model, "linear", 8, 16384).f32("rope.freq_base_swa", 500);
  return model.build(false);
}

/// Gate and up under the name of the latter.
inline void add_packed(RandomModel& model, std::uint32_t layer) {
  model.matrix(blk(layer, "ffn_up.weight"), {RandomModel::kWidth, 2 * kFeedForward}, 1.5f);
  model.matrix(blk(layer, "ffn_down.weight"), {kFeedForward, RandomModel::kWidth}, 1.5f);
}

/// \param original_context  up to so many tokens the short factors of positions hold
inline Bytes phi3(std::uint32_t original_context) {
  const RandomAttention attention{.rotated = 12};
  RandomModel model("phi3", 3);
  attention.describe(model);
  model.u32("feed_forward_length", kFeedForward);
  model.u32("rope.scaling.original_context_length", original_context);
  model.f32("rope.scaling.attn_factor", 1.19f);
  model.factors("rope_factors_short.weight", 6);
  model.numbers("rope_factors_long.weight", {6}, 4, 0.5f);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    model.norm(blk(layer, "attn_norm.weight"), RandomModel::kWidth);
    model.matrix(blk(layer, "attn_qkv.weight"), {RandomModel::kWidth, 128}, 1.5f);
    model.matrix(blk(layer, "attn_output.weight"), {64, RandomModel::kWidth});
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    add_packed(model, layer);
  }
  return model.build();
}

inline Bytes glm4() {
  const RandomAttention attention{.head_size = 24, .rotated = 12, .biases = true};
  RandomModel model("glm4", 3);
  attention.describe(model);
  model.u32("feed_forward_length", kFeedForward);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "post_attention_norm.weight"), RandomModel::kWidth);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    add_packed(model, layer);
    model.norm(blk(layer, "post_ffw_norm.weight"), RandomModel::kWidth);
  }
  return model.build();
}

inline Bytes ernie4_5() {
  RandomModel model("ernie4_5", 3);
  add_dense(model, {.head_size = 24, .rotated = 24}, 3);
  return model.build(false);
}

inline Bytes seed_oss() {
  const RandomAttention attention{.head_size = 24, .rotated = 24, .biases = true};
  RandomModel model("seed_oss", 3);
  attention.describe(model);
  model.u32("feed_forward_length", kFeedForward);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "post_attention_norm.weight"), RandomModel::kWidth);
    add_feed_forward(model, layer, kFeedForward);
  }
  return model.build();
}

/// The fourth layer knows no positions.
inline Bytes smollm3() {
  RandomModel model("smollm3", 4);
  add_dense(model, {}, 4);
  return model.build(false);
}

/// Norms behind the halves of a layer alone, and of all heads together.
inline void add_olmo(RandomModel& model, std::uint32_t layers) {
  const RandomAttention attention{.joint_norms = true, .norm_before = false};
  attention.describe(model);
  model.u32("feed_forward_length", kFeedForward);
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "post_attention_norm.weight"), RandomModel::kWidth);
    add_feed_forward(model, layer, kFeedForward);
    model.norm(blk(layer, "post_ffw_norm.weight"), RandomModel::kWidth);
  }
}

inline Bytes olmo2() {
  RandomModel model("olmo2", 3);
  add_olmo(model, 3);
  return model.build();
}

/// Windows in all but the fourth layer.
inline Bytes olmo3() {
  RandomModel model("olmo2", 5);
  add_olmo(model, 5);
  model.u32("attention.sliding_window", 16);
  model.bools("attention.sliding_window_pattern", {1, 1, 1, 0, 1});
  scaled(model, "yarn", 8, 256).f32("rope.scaling.yarn_attn_factor", 1.2079441f);
  return model.build();
}

}  // namespace sluice::testing_support::random_families
