#pragma once

// Random models of the families with experts, with the keys, names and shapes that llama.cpp asks for.

#include "support/random_dense.h"

namespace sluice::testing_support::random_families {

inline void describe_experts(RandomModel& model, std::uint32_t experts, std::uint32_t used,
                             std::uint32_t size) {
  model.u32("expert_count", experts).u32("expert_used_count", used);
  model.u32("expert_feed_forward_length", size).u32("feed_forward_length", kFeedForward);
}

/// Experts of 24 numbers, and what is beside them.
struct RandomMixture {
  std::uint32_t experts;
  std::uint32_t shared;  ///< numbers of those that see every token
  float bias;            ///< deviation of what is added to choose them
};

/// A dense layer, and then layers of experts.
inline void add_mixture(RandomModel& model, const RandomAttention& attention, std::uint32_t layers,
                        const RandomMixture& mixture) {
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    if (layer == 0) {
      add_feed_forward(model, layer, kFeedForward);
      continue;
    }
    add_experts(model, layer, 24, mixture.experts);
    add_feed_forward(model, layer, mixture.shared, "_shexp");
    model.numbers(blk(layer, "exp_probs_b.bias"), {mixture.experts}, 0, mixture.bias);
  }
}

inline Bytes mixtral() {
  const RandomAttention attention;
  RandomModel model("llama", 3);
  attention.describe(model);
  model.u32("expert_count", 8).u32("expert_used_count", 2).u32("feed_forward_length", 48);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    add_experts(model, layer, 48, 8);
  }
  return model.build();
}

inline Bytes qwen2moe() {
  const RandomAttention attention{.biases = true};
  RandomModel model("qwen2moe", 3);
  attention.describe(model);
  describe_experts(model, 6, 3, 40);
  model.u32("expert_shared_feed_forward_length", 56);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    add_experts(model, layer, 40, 6);
    add_feed_forward(model, layer, 56, "_shexp");
    model.matrix(blk(layer, "ffn_gate_inp_shexp.weight"), {RandomModel::kWidth});
  }
  return model.build();
}

inline Bytes qwen3moe() {
  const RandomAttention attention{.head_size = 24, .rotated = 24, .norms = true};
  RandomModel model("qwen3moe", 3);
  attention.describe(model);
  describe_experts(model, 12, 4, 40);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    add_experts(model, layer, 40, 12);
  }
  return model.build();
}

/// Four layers, the third of which knows no positions; every other one has experts. llama.cpp tells
/// Maverick by its 128 experts.
inline Bytes llama4(std::uint32_t experts) {
  const RandomAttention attention;
  RandomModel model("llama4", 4);
  attention.describe(model);
  describe_experts(model, experts, 1, 24);
  model.u32("interleave_moe_layer_step", 2).factors("rope_freqs.weight", 8);
  for (std::uint32_t layer = 0; layer < 4; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    if (layer % 2 == 1) {
      add_experts(model, layer, 24, experts);
      add_feed_forward(model, layer, 24, "_shexp");
    } else {
      add_feed_forward(model, layer, kFeedForward);
    }
  }
  return model.build();
}

/// Attention from few numbers a token: DeepSeek's latent attention.
struct RandomLatent {
  static constexpr std::uint32_t kHeads = 4;
  static constexpr std::uint32_t kPlain = 16;   // numbers of a head's key without positions
  static constexpr std::uint32_t kRotated = 8;  // and with them
  static constexpr std::uint32_t kValue = 12;   // numbers of a head's value
  static constexpr std::uint32_t kLatent = 32;  // numbers that keys and values are made of
  std::uint32_t query_latent = 0;               // and queries; 0: they are made of all
  bool split = true;                            // keys and values have a matrix each

  void describe(RandomModel& model) const {
    model.u32("attention.head_count", kHeads).u32("attention.kv_lora_rank", kLatent);
    if (query_latent != 0) model.u32("attention.q_lora_rank", query_latent);
    model.u32("attention.head_count_kv", split ? 1 : kHeads);
    model.u32("attention.key_length", split ? kLatent + kRotated : kPlain + kRotated);
    model.u32("attention.value_length", split ? kLatent : kValue);
    model.u32("rope.dimension_count", kRotated);
    if (!split) return;
    model.u32("attention.key_length_mla", kPlain + kRotated);
    model.u32("attention.value_length_mla", kValue);
  }

  void add(RandomModel& model, std::uint32_t layer) const {
    const std::uint64_t width = RandomModel::kWidth;
    const std::uint64_t queries = std::uint64_t{kHeads} * (kPlain + kRotated);
    model.norm(blk(layer, "attn_norm.weight"), width);
    if (query_latent == 0) {
      model.matrix(blk(layer, "attn_q.weight"), {width, queries}, 1.5f);
    } else {
      model.matrix(blk(layer, "attn_q_a.weight"), {width, query_latent});
      model.norm(blk(layer, "attn_q_a_norm.weight"), query_latent);
      model.matrix(blk(layer, "attn_q_b.weight"), {query_latent, queries}, 1.5f);
    }
    model.matrix(blk(layer, "attn_kv_a_mqa.weight"), {width, kLatent + kRotated});
    model.norm(blk(layer, "attn_kv_a_norm.weight"), kLatent);
    if (split) {
      model.matrix(blk(layer, "attn_k_b.weight"), {kPlain, kLatent, kHeads});
      model.matrix(blk(layer, "attn_v_b.weight"), {kLatent, kValue, kHeads});
    } else {
      model.matrix(blk(layer, "attn_kv_b.weight"), {kLatent, kHeads * (kPlain + kValue)});
    }
    model.matrix(blk(layer, "attn_output.weight"), {kHeads * kValue, width});
  }
};

struct RandomDeepSeek {
  std::uint32_t layers;
  std::uint32_t experts;
  std::uint32_t used;
  std::uint32_t gating;  ///< 1 softmax, 2 sigmoid
  RandomLatent attention;
  std::uint32_t groups = 1;
  std::uint32_t used_groups = 1;
  bool gate_up = false;  ///< the experts' gate and up are one tensor

  Bytes build() const {
    RandomModel model("deepseek2", layers);
    attention.describe(model);
    describe_experts(model, experts, used, 24);
    model.u32("leading_dense_block_count", 1).u32("expert_shared_count", 2);
    model.u32("expert_group_count", groups).u32("expert_group_used_count", used_groups);
    model.u32("expert_gating_func", gating).boolean("expert_weights_norm", gating == 2);
    model.f32("expert_weights_scale", gating == 2 ? 2.5f : 1);
    scaled(model, "yarn", 40, 256).f32("rope.scaling.yarn_log_multiplier", 0.0707f);
    for (std::uint32_t layer = 0; layer < layers; ++layer) add(model, layer);
    return model.build();
  }

 private:
  void add(RandomModel& model, std::uint32_t layer) const {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    if (layer == 0) return add_feed_forward(model, layer, kFeedForward);
    add_experts(model, layer, 24, experts, gate_up);
    add_feed_forward(model, layer, 48, "_shexp");
    if (gating == 2) model.numbers(blk(layer, "exp_probs_b.bias"), {experts}, 0, 0.2f);
  }
};

/// What a layer that guesses one token more has beside a layer's tensors.
inline void add_nextn(RandomModel& model, std::uint32_t layer) {
  const std::uint64_t width = RandomModel::kWidth;
  model.matrix(blk(layer, "nextn.eh_proj.weight"), {2 * width, width});
  model.norm(blk(layer, "nextn.enorm.weight"), width);
  model.norm(blk(layer, "nextn.hnorm.weight"), width);
}

/// A layer that predicts one token more follows the layers that are run.
inline Bytes glm4moe(bool norms) {
  const RandomAttention attention{.rotated = 8, .biases = true, .norms = norms};
  const std::uint64_t width = RandomModel::kWidth;
  RandomModel model("glm4moe", 4);
  attention.describe(model);
  describe_experts(model, 8, 3, 24);
  model.u32("leading_dense_block_count", 1).u32("expert_shared_count", 1);
  model.u32("expert_gating_func", 2).boolean("expert_weights_norm", true);
  model.f32("expert_weights_scale", 1.5f).u32("nextn_predict_layers", 1);
  for (std::uint32_t layer = 0; layer < 4; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "post_attention_norm.weight"), width);
    if (layer == 0) {
      add_feed_forward(model, layer, kFeedForward);
      continue;
    }
    add_experts(model, layer, 24, 8);
    add_feed_forward(model, layer, 24, "_shexp");
    model.numbers(blk(layer, "exp_probs_b.bias"), {8}, 0, 0.2f);
  }
  add_nextn(model, 3);
  return model.build();
}

inline Bytes gpt_oss() {
  const RandomAttention attention{.biases = true};
  const std::uint64_t width = RandomModel::kWidth;
  RandomModel model("gpt-oss", 4);
  attention.describe(model);
  describe_experts(model, 8, 3, 40);
  model.u32("attention.sliding_window", 16);
  scaled(model, "yarn", 32, 256);
  for (std::uint32_t layer = 0; layer < 4; ++layer) {
    attention.add(model, layer);
    model.bias(blk(layer, "attn_output.bias"), {width});
    model.numbers(blk(layer, "attn_sinks.weight"), {attention.heads}, 1, 1);
    model.norm(blk(layer, "post_attention_norm.weight"), width);
    add_experts(model, layer, 40, 8);
    model.bias(blk(layer, "ffn_gate_inp.bias"), {8});
    model.bias(blk(layer, "ffn_gate_exps.bias"), {40, 8});
    model.bias(blk(layer, "ffn_up_exps.bias"), {40, 8});
    model.bias(blk(layer, "ffn_down_exps.bias"), {width, 8});
  }
  return model.build();
}

inline Bytes minimax_m2() {
  const RandomAttention attention{.head_size = 24, .rotated = 12, .joint_norms = true};
  RandomModel model("minimax-m2", 3);
  attention.describe(model);
  model.u32("expert_count", 8).u32("expert_used_count", 3).u32("expert_gating_func", 2);
  model.u32("expert_feed_forward_length", 40).u32("feed_forward_length", 40);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    add_experts(model, layer, 40, 8);
    model.numbers(blk(layer, "exp_probs_b.bias"), {8}, 0, 0.2f);
  }
  return model.build();
}

/// A dense layer, and then experts.
inline Bytes ernie4_5_moe() {
  const RandomAttention attention;
  RandomModel model("ernie4_5-moe", 3);
  attention.describe(model);
  describe_experts(model, 8, 3, 24);
  model.u32("leading_dense_block_count", 1).u32("interleave_moe_layer_step", 1);
  model.u32("expert_shared_count", 2).u32("expert_shared_feed_forward_length", 48);
  add_mixture(model, attention, 3, {.experts = 8, .shared = 48, .bias = 0.05f});
  return model.build();
}

/// A layer that guesses one token more follows the layers that are run.
inline Bytes bailingmoe2() {
  const RandomAttention attention{.rotated = 8, .norms = true, .joined = true};
  const std::uint64_t width = RandomModel::kWidth;
  RandomModel model("bailingmoe2", 4);
  attention.describe(model);
  describe_experts(model, 16, 4, 24);
  model.u32("leading_dense_block_count", 1).u32("expert_shared_count", 1);
  model.u32("expert_shared_feed_forward_length", 32);
  model.u32("expert_group_count", 4).u32("expert_group_used_count", 2);
  model.u32("expert_gating_func", 2).boolean("expert_weights_norm", true);
  model.f32("expert_weights_scale", 2.5f).u32("nextn_predict_layers", 1);
  add_mixture(model, attention, 4, {.experts = 16, .shared = 32, .bias = 0.2f});
  add_nextn(model, 3);
  model.norm("blk.3.layer_output_norm.weight", width);
  return model.build();
}

inline Bytes dots1() {
  const RandomAttention attention{.key_heads = 4, .norms = true};
  RandomModel model("dots1", 3);
  attention.describe(model);
  describe_experts(model, 8, 3, 24);
  model.u32("leading_dense_block_count", 1).u32("expert_shared_count", 2);
  model.u32("expert_gating_func", 2).boolean("expert_weights_norm", true);
  model.f32("expert_weights_scale", 2.5f);
  add_mixture(model, attention, 3, {.experts = 8, .shared = 48, .bias = 0.2f});
  return model.build();
}

/// The first layer is dense and sees all; the others have windows, sinks and more heads of keys.
inline Bytes mimo2() {
  RandomModel model("mimo2", 3);
  model.u32("attention.head_count", 4).i32s("attention.head_count_kv", {1, 2, 2});
  model.u32("attention.key_length", 24).u32("attention.value_length", 16);
  model.u32("attention.sliding_window", 16).i32s("attention.sliding_window_pattern", {0, 1, 1});
  model.u32("rope.dimension_count", 8).f32("rope.freq_base_swa", 500);
  model.f32("attention.value_scale", 0.707f).u32("expert_gating_func", 2);
  describe_experts(model, 8, 3, 24);
  for (std::uint32_t layer = 0; layer < 3; ++layer) {
    const bool window = layer != 0;
    const RandomAttention attention{
        .key_heads = window ? 2u : 1u, .head_size = 24, .value_size = 16, .rotated = 8};
    attention.add(model, layer);
    model.norm(blk(layer, "ffn_norm.weight"), RandomModel::kWidth);
    if (!window) {
      add_feed_forward(model, layer, kFeedForward);
      continue;
    }
    model.numbers(blk(layer, "attn_sinks.weight"), {attention.heads}, 1, 1);
    add_experts(model, layer, 24, 8);
    model.numbers(blk(layer, "exp_probs_b.bias"), {8}, 0, 0.2f);
  }
  return model.build();
}

/// The first and the last layer that run see all, the others have windows and more heads; the first
/// is dense. A layer that guesses one token more follows.
inline Bytes step35() {
  const std::uint64_t width = RandomModel::kWidth;
  RandomModel model("step35", 5);
  model.i32s("attention.head_count", {4, 6, 6, 4, 6}).u32("attention.head_count_kv", 2);
  model.u32("attention.key_length", 16).u32("attention.value_length", 16);
  model.u32("attention.sliding_window", 16).f32("rope.freq_base_swa", 500);
  model.bools("attention.sliding_window_pattern", {0, 1, 1, 0, 1}).factors("rope_freqs.weight", 8);
  describe_experts(model, 8, 3, 24);
  model.u32("expert_shared_feed_forward_length", 40).u32("expert_gating_func", 2);
  model.boolean("expert_weights_norm", true).f32("expert_weights_scale", 3);
  model.f32s("swiglu_clamp_exp", {0, 0, 0.7f, 1.5f, 0});
  model.f32s("swiglu_clamp_shexp", {0, 0, 0, 0.5f, 0}).u32("nextn_predict_layers", 1);
  for (std::uint32_t layer = 0; layer < 5; ++layer) {
    const bool window = layer % 3 != 0;
    const RandomAttention attention{.heads = window ? 6u : 4u, .norms = true};
    attention.add(model, layer);
    model.matrix(blk(layer, "attn_gate.weight"), {width, attention.heads}, 1.5f);
    model.norm(blk(layer, "ffn_norm.weight"), width);
    if (layer == 0) {
      add_feed_forward(model, layer, kFeedForward);
      continue;
    }
    add_experts(model, layer, 24, 8);
    add_feed_forward(model, layer, 40, "_shexp");
    model.numbers(blk(layer, "exp_probs_b.bias"), {8}, 0, 0.2f);
  }
  add_nextn(model, 4);
  return model.build();
}

}  // namespace sluice::testing_support::random_families
