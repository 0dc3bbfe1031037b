// Llama 1 to 3.x, Mistral 7B and Nemo, Mixtral.

#include "checkpoint/families/llama.h"

#include "checkpoint/rope.h"

namespace sluice::checkpoint {

void describe_llama(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  common_keys(config, layers, out);
  out.whole("vocab_size", config.whole({"vocab_size"}));
  out.whole("rope.dimension_count", head_size(config));
  if (auto factors = llama3_rope_factors(config)) {
    draft.add_values("rope_freqs.weight", *std::move(factors));
  }
}

std::vector<Rule> rotary_rules() {
  return {{"layers.N.self_attn.q_proj.*", "blk.N.attn_q.*", rotary_query},
          {"layers.N.self_attn.k_proj.*", "blk.N.attn_k.*", rotary_key}};
}

Family family_llama() {
  return {.architecture = "llama",
          .classes = {"LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM",
                      "MixtralForCausalLM", "VLlama3ForCausalLM", "IQuestCoderForCausalLM",
                      "LlamaModel"},
          .rules = rotary_rules(),
          .describe = describe_llama};
}

}  // namespace sluice::checkpoint
