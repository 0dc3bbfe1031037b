// Step-3.5-Flash, with the layers that guess more tokens.

#include <algorithm>

#include "checkpoint/families/gemma.h"
#include "checkpoint/rope.h"
#include "gguf/truth_array.h"

namespace sluice::checkpoint {
namespace {

/// With one base of the positions for layers with a window and one for the others, in place of a
/// list of all.
Config with_two_bases(const Config& stored, const std::vector<std::uint8_t>& windows) {
  Config config = stored;
  if (!stored.has("rope_theta") || !stored.at("rope_theta").is_array()) return config;
  const std::vector<double> bases = stored.find_numbers("rope_theta").value();
  config.set("rope_theta", nullptr);
  for (std::size_t layer = 0; layer < std::min(bases.size(), windows.size()); ++layer) {
    config.set(windows[layer] ? "local_rope_theta" : "rope_theta", bases[layer]);
  }
  return config;
}

/// Factors for the half of a head that knows positions in layers without window, and then 1.
void add_step35_factors(const Config& config, Draft& draft) {
  Config half = config;
  const std::uint64_t size = head_size(config);
  half.set("head_dim", size / 2);
  auto factors = llama3_rope_factors(half);
  if (!factors) return;
  factors->resize(size / 2, 1);
  draft.add_values("rope_freqs.weight", *std::move(factors));
}

/// What the halves of a feed-forward network are limited to, for each layer; 0: they are not.
void add_step35_limits(const Description& description, const char* stored, const char* key) {
  if (!description.config.has(stored)) return;
  Json list = description.config.at(stored);
  for (Json& each : list) {
    if (each.is_null()) each = 0;
  }
  Config config = description.config;
  config.set(stored, std::move(list));
  const std::vector<double> numbers = config.find_numbers(stored).value();
  std::vector<float> limits(numbers.begin(), numbers.end());
  limits.resize(description.layers);
  description.out.set(key, gguf::Value::of_floats(limits));
}

/// Layers before the first with experts.
std::uint64_t step35_dense_layers(const Config& config) {
  const std::string layers = config.find_text({"moe_layers_enum"}).value_or("0");
  std::uint64_t first = 0;
  for (const char digit : layers.substr(0, layers.find(','))) {
    if (digit < '0' || digit > '9' || first > config.positive({"num_hidden_layers"})) {
      config.refuse("moe_layers_enum", "expected are numbers of layers");
    }
    first = first * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return first;
}

void describe_step35(const Description& description) {
  const auto& [stored_config, layers, out, draft] = description;
  const std::vector<std::uint8_t> pattern = window_layers(stored_config, layers);
  const Config config = with_two_bases(stored_config, pattern);
  const Config with_window = config.find_object({"attention_other_setting"}).value_or(config);
  std::vector<std::uint64_t> heads;
  std::vector<std::uint64_t> key_heads;
  for (const std::uint8_t window : pattern) {
    const Config& of = window ? with_window : config;
    heads.push_back(of.positive({"num_attention_heads"}));
    key_heads.push_back(of.positive({"num_attention_groups"}));
  }
  common_keys(config, layers, out);
  out.wholes("attention.head_count", heads);
  out.wholes("attention.head_count_kv", key_heads);
  out.whole("attention.sliding_window", config.whole({"sliding_window"}));
  out.set("attention.sliding_window_pattern", gguf::truth_array(pattern));
  out.whole("expert_used_count", config.whole({"moe_top_k"}));
  out.whole("expert_feed_forward_length", config.whole({"moe_intermediate_size"}));
  out.whole("expert_shared_feed_forward_length", config.whole({"share_expert_dim"}));
  out.number("expert_weights_scale", config.find_number({"moe_router_scaling_factor"}));
  out.truth("expert_weights_norm", config.find_truth({"norm_expert_weight"}));
  out.whole("leading_dense_block_count", step35_dense_layers(config));
  out.whole("moe_every_n_layers", config.find_whole({"moe_every_n_layer"}).value_or(1));
  add_step35_limits(description, "swiglu_limits", "swiglu_clamp_exp");
  add_step35_limits(description, "swiglu_limits_shared", "swiglu_clamp_shexp");
  out.whole("nextn_predict_layers", config.find_whole({"num_nextn_predict_layers"}));
  add_step35_factors(config, draft);
}

}  // namespace

Family family_step35() {
  std::vector<Rule> rules = nextn_rules();
  for (const Rule& rule : std::vector<Rule>{
           {"layers.N.self_attn.g_proj.*", "blk.N.attn_gate.*", as_it_is},
           {"layers.N.moe.gate.*", "blk.N.ffn_gate_inp.*", as_it_is},
           {"layers.N.moe.router_bias", "blk.N.exp_probs_b.bias", as_it_is},
           {"layers.N.moe.gate_proj.*", "blk.N.ffn_gate_exps.*", as_it_is},
           {"layers.N.moe.up_proj.*", "blk.N.ffn_up_exps.*", as_it_is},
           {"layers.N.moe.down_proj.*", "blk.N.ffn_down_exps.*", as_it_is},
           {"layers.N.share_expert.gate_proj.*", "blk.N.ffn_gate_shexp.*", as_it_is},
           {"layers.N.share_expert.up_proj.*", "blk.N.ffn_up_shexp.*", as_it_is},
           {"layers.N.share_expert.down_proj.*", "blk.N.ffn_down_shexp.*", as_it_is},
           {"layers.N.transformer.shared_head.norm.*", "blk.N.nextn.shared_head_norm.*", as_it_is},
           {"layers.N.transformer.shared_head.output.*", "blk.N.nextn.shared_head_head.*",
            as_it_is}}) {
    rules.push_back(rule);
  }
  return {.architecture = "step35",
          .classes = {"Step3p5ForCausalLM"},
          .rules = std::move(rules),
          .describe = describe_step35,
          .extra_layers = ExtraLayers::kept,
          .less_one = is_gemma_norm};
}

}  // namespace sluice::checkpoint
