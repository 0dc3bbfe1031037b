// Llama 4 Scout and Maverick.

#include <algorithm>

#include "checkpoint/families/llama.h"

namespace sluice::checkpoint {
namespace {

void describe_llama4(const Description& description) {
  Config config = description.config;
  // Without suffix the width is that of an expert.
  const Json expert_width = config.at("intermediate_size");
  config.set("intermediate_size", config.at("intermediate_size_mlp"));
  config.set("expert_width", expert_width);
  Metadata& out = description.out;
  describe_llama({config, description.layers, out, description.draft});
  out.whole("interleave_moe_layer_step", config.whole({"interleave_moe_layer_step"}));
  out.whole("expert_feed_forward_length", config.whole({"expert_width"}));
  const auto types = config.find_texts("layer_types");
  const auto is_full = [](const std::string& type) { return type == "full_attention"; };
  if (types && std::ranges::all_of(*types, is_full)) out.whole("attention.sliding_window", 0);
}

}  // namespace

Family family_llama4() {
  return {.architecture = "llama4",
          .classes = {"Llama4ForConditionalGeneration", "Llama4ForCausalLM"},
          .rules = {{"layers.N.mlp.experts.gate_up_proj", "blk.N.ffn_{}_exps.weight",
                     gate_and_up_columns},
                    {"layers.N.mlp.experts.down_proj", "blk.N.ffn_down_exps.weight", transposed}},
          .describe = describe_llama4};
}

}  // namespace sluice::checkpoint
