#pragma once

// Random models whose layers are gated delta nets, but for every so many which have attention with gates:
// Qwen3-Next, Qwen 3.5.

#include "support/random_model.h"

namespace sluice::testing_support {

struct RandomHybrid {
  static constexpr std::uint32_t kKeyHeads = 2;
  static constexpr std::uint32_t kValueHeads = 6;
  static constexpr std::uint32_t kLength = 24;  // numbers of a head
  static constexpr std::uint32_t kTaps = 4;
  static constexpr std::uint32_t kFeedForward = 96;
  static constexpr std::uint32_t kExperts = 12;

  std::string architecture;
  bool joined_rates = false;  ///< rates and decays come from one matrix
  bool experts = true;
  std::uint32_t interval = 0;  ///< every so manieth layer has attention; 0: the file does not say
  std::uint32_t further = 0;   ///< layers behind those that are run, which predict one token more
  std::uint32_t layers = 5;

  Bytes build() const {
    RandomModel model(architecture, layers + further);
    describe(model);
    for (std::uint32_t layer = 0; layer < layers + further; ++layer) {
      if (layer >= layers || (layer + 1) % (interval == 0 ? 4 : interval) == 0) {
        kAttention.add(model, layer);
      } else {
        add_delta_net(model, layer);
      }
      model.norm(blk(layer, "post_attention_norm.weight"), kWidth);
      add_outer(model, layer);
    }
    for (std::uint32_t layer = layers; layer < layers + further; ++layer) {
      model.matrix(blk(layer, "nextn.eh_proj.weight"), {2 * kWidth, kWidth});
      model.norm(blk(layer, "nextn.enorm.weight"), kWidth);
      model.norm(blk(layer, "nextn.hnorm.weight"), kWidth);
    }
    return model.build();
  }

 private:
  static constexpr std::uint64_t kWidth = RandomModel::kWidth;
  static constexpr std::uint64_t kValues = std::uint64_t{kValueHeads} * kLength;
  static constexpr std::uint64_t kChannels = 2 * std::uint64_t{kKeyHeads} * kLength + kValues;
  static constexpr RandomAttention kAttention{
      .head_size = 32, .rotated = 8, .norms = true, .gated = true};

  void describe(RandomModel& model) const {
    kAttention.describe(model);
    model.u32("ssm.conv_kernel", kTaps).u32("ssm.state_size", kLength);
    model.u32("ssm.group_count", kKeyHeads).u32("ssm.time_step_rank", kValueHeads);
    model.u32("ssm.inner_size", kValues).u32("feed_forward_length", kFeedForward);
    if (interval != 0) model.u32("full_attention_interval", interval);
    if (further != 0) model.u32("nextn_predict_layers", further);
    if (!joined_rates) model.i32s("rope.dimension_sections", {2, 1, 1, 0});
    if (!experts) return;
    model.u32("expert_count", kExperts).u32("expert_used_count", 4);
    model.u32("expert_feed_forward_length", 40).u32("expert_shared_feed_forward_length", 56);
  }

  void add_delta_net(RandomModel& model, std::uint32_t layer) const {
    model.norm(blk(layer, "attn_norm.weight"), kWidth);
    model.matrix(blk(layer, "attn_qkv.weight"), {kWidth, kChannels}, 1.5f);
    model.matrix(blk(layer, "attn_gate.weight"), {kWidth, kValues}, 1.5f);
    if (joined_rates) {
      model.matrix(blk(layer, "ssm_ba.weight"), {kWidth, 2 * kValueHeads}, 1.5f);
    } else {
      model.matrix(blk(layer, "ssm_beta.weight"), {kWidth, kValueHeads}, 1.5f);
      model.matrix(blk(layer, "ssm_alpha.weight"), {kWidth, kValueHeads}, 1.5f);
    }
    model.numbers(blk(layer, "ssm_conv1d.weight"), {kTaps, kChannels}, 0.2f, 0.5f);
    model.numbers(blk(layer, "ssm_a"), {kValueHeads}, -0.5f, 0.15f);
    model.bias(blk(layer, "ssm_dt.bias"), {kValueHeads});
    model.norm(blk(layer, "ssm_norm.weight"), kLength);
    model.matrix(blk(layer, "ssm_out.weight"), {kValues, kWidth});
  }

  void add_outer(RandomModel& model, std::uint32_t layer) const {
    if (!experts) return add_feed_forward(model, layer, kFeedForward);
    add_experts(model, layer, 40, kExperts);
    add_feed_forward(model, layer, 56, "_shexp");
    model.matrix(blk(layer, "ffn_gate_inp_shexp.weight"), {kWidth});
  }
};

}  // namespace sluice::testing_support
