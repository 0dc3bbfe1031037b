// MiMo-V2-Flash, without the layers that guess more tokens.

#include "checkpoint/families/family.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

/// 1 for layers that look at a window, else 0.
std::vector<std::uint64_t> mimo2_windows(const Config& config, std::uint64_t layers) {
  const auto pattern = config.find_numbers("hybrid_layer_pattern");
  if (!pattern || pattern->size() != layers) {
    config.refuse("hybrid_layer_pattern", "expected is a number for each layer");
  }
  std::vector<std::uint64_t> windows;
  for (const double each : *pattern) windows.push_back(each == 1 ? 1 : 0);
  return windows;
}

void describe_mimo2(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  for (const std::string key : {"head_dim", "v_head_dim", "num_attention_heads"}) {
    if (config.whole({"swa_" + key}) != config.whole({key})) {
      config.refuse(key, "expected is the same in layers with and without windows");
    }
  }
  const std::vector<std::uint64_t> pattern = mimo2_windows(config, layers);
  std::vector<std::uint64_t> key_heads;
  for (const std::uint64_t window : pattern) {
    key_heads.push_back(
        config.positive({window ? "swa_num_key_value_heads" : "num_key_value_heads"}));
  }
  common_keys(config, layers, out);
  out.wholes("attention.head_count_kv", key_heads);
  out.whole("attention.sliding_window", config.whole({"sliding_window"}));
  out.wholes("attention.sliding_window_pattern", pattern);
  out.whole("attention.value_length", config.whole({"v_head_dim"}));
  out.number("attention.value_scale", config.find_number({"attention_value_scale"}));
  out.number("attention.layer_norm_rms_epsilon",
             config.find_number({"layernorm_epsilon"}).value_or(1e-5));
  out.whole("expert_feed_forward_length", config.whole({"moe_intermediate_size"}));
  out.whole("rope.dimension_count", rotating_part(config, 1));
  out.whole("nextn_predict_layers", 0);
}

}  // namespace

Family family_mimo2() {
  return {
      .architecture = "mimo2",
      .classes = {"MiMoV2FlashForCausalLM"},
      .rules = {{"layers.N.self_attn.attention_sink_bias", "blk.N.attn_sinks.weight", as_it_is}},
      .describe = describe_mimo2,
      .dropped_prefix = "model.mtp."};
}

}  // namespace sluice::checkpoint
