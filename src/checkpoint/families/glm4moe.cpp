// GLM-4.5 to 4.7, with the layer that guesses more tokens.

#include "checkpoint/families/family.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

void describe_glm4moe(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  constexpr std::uint64_t kSigmoid = 2;
  common_keys(config, layers, out);
  out.whole("rope.dimension_count", rotating_part(config, 0.5));
  out.whole("expert_feed_forward_length", config.find_whole({"moe_intermediate_size"}));
  out.whole("expert_shared_count", config.find_whole({"n_shared_experts"}));
  out.whole("leading_dense_block_count", config.find_whole({"first_k_dense_replace"}));
  out.whole("expert_gating_func", kSigmoid);
  out.number("expert_weights_scale", config.find_number({"routed_scaling_factor"}));
  out.truth("expert_weights_norm", config.find_truth({"norm_topk_prob"}));
  out.whole("nextn_predict_layers", config.find_whole({"num_nextn_predict_layers"}));
}

}  // namespace

Family family_glm4moe() {
  std::vector<Rule> rules = nextn_rules();
  rules.push_back({"layers.N.post_attention_layernorm.*", "blk.N.post_attention_norm.*", as_it_is});
  return {.architecture = "glm4moe",
          .classes = {"Glm4MoeForCausalLM"},
          .rules = std::move(rules),
          .describe = describe_glm4moe,
          .extra_layers = ExtraLayers::kept};
}

}  // namespace sluice::checkpoint
