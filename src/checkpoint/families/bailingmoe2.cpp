// Ling 2.0 and Ring, with the layers that guess more tokens.

#include "checkpoint/families/family.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

void describe_bailingmoe2(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  const std::uint64_t width = config.whole({"moe_intermediate_size"});
  common_keys(config, layers, out);
  out.whole("rope.dimension_count", rotating_part(config, 0.5));
  out.whole("leading_dense_block_count", config.whole({"first_k_dense_replace"}));
  out.whole("vocab_size", config.whole({"vocab_size"}));
  out.whole("expert_feed_forward_length", width);
  out.whole("expert_shared_feed_forward_length",  // of each
            config.find_whole({"moe_shared_expert_intermediate_size"}).value_or(width));
  out.number("expert_weights_scale", config.number({"routed_scaling_factor"}));
  out.whole("expert_shared_count", config.whole({"num_shared_experts"}));
  out.truth("expert_weights_norm", config.find_truth({"norm_topk_prob"}));
  out.whole("nextn_predict_layers", config.find_whole({"num_nextn_predict_layers"}));
}

}  // namespace

Family family_bailingmoe2() {
  std::vector<Rule> rules = nextn_rules();
  for (const Rule& rule :
       std::vector<Rule>{{"word_embeddings.*", "token_embd.*", as_it_is},
                         {"layers.N.attention.query_key_value.*", "blk.N.attn_qkv.*", as_it_is},
                         {"layers.N.attention.dense.*", "blk.N.attn_output.*", as_it_is},
                         {"layers.N.attention.query_layernorm.*", "blk.N.attn_q_norm.*", as_it_is},
                         {"layers.N.attention.key_layernorm.*", "blk.N.attn_k_norm.*", as_it_is},
                         {"layers.N.mlp.gate.expert_bias", "blk.N.exp_probs_b.bias", as_it_is},
                         {"layers.N.final_layernorm.*", "blk.N.layer_output_norm.*", as_it_is}}) {
    rules.push_back(rule);
  }
  return {.architecture = "bailingmoe2",
          .classes = {"BailingMoeV2ForCausalLM"},
          .rules = std::move(rules),
          .describe = describe_bailingmoe2,
          .extra_layers = ExtraLayers::kept};
}

}  // namespace sluice::checkpoint
