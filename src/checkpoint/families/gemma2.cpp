// Gemma 2.

#include "checkpoint/families/gemma.h"

namespace sluice::checkpoint {
namespace {

void dropped(const Match&, Draft&) {}

void describe_gemma2(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  const std::uint64_t heads = config.whole({"num_attention_heads"});
  out.whole("block_count", layers);
  out.whole("context_length", config.whole({"max_position_embeddings"}));
  out.whole("embedding_length", config.whole({"hidden_size"}));
  out.whole("feed_forward_length", config.whole({"intermediate_size"}));
  out.whole("attention.head_count", heads);
  out.whole("attention.head_count_kv", config.find_whole({"num_key_value_heads"}).value_or(heads));
  out.number("attention.layer_norm_rms_epsilon", config.number({"rms_norm_eps"}));
  out.whole("attention.key_length", config.whole({"head_dim"}));
  out.whole("attention.value_length", config.whole({"head_dim"}));
  out.number("attn_logit_softcapping", config.number({"attn_logit_softcapping"}));
  out.number("final_logit_softcapping", config.number({"final_logit_softcapping"}));
  out.whole("attention.sliding_window", config.whole({"sliding_window"}));
}

}  // namespace

std::vector<Rule> gemma_rules() {
  return {{"layers.N.post_attention_layernorm.*", "blk.N.post_attention_norm.*", as_it_is},
          {"layers.N.pre_feedforward_layernorm.*", "blk.N.ffn_norm.*", as_it_is},
          {"layers.N.post_feedforward_layernorm.*", "blk.N.post_ffw_norm.*", as_it_is}};
}

bool is_gemma_norm(std::string_view stored) {
  return stored.ends_with("norm.weight");
}

Family family_gemma2() {
  std::vector<Rule> rules = gemma_rules();
  rules.push_back({"lm_head.*", "", dropped});  // the embedding once more
  return {.architecture = "gemma2",
          .classes = {"Gemma2ForCausalLM"},
          .rules = std::move(rules),
          .describe = describe_gemma2,
          .less_one = is_gemma_norm};
}

}  // namespace sluice::checkpoint
