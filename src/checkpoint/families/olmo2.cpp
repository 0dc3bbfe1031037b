// OLMo 2 and 3.

#include "checkpoint/families/family.h"
#include "gguf/truth_array.h"

namespace sluice::checkpoint {
namespace {

void describe_olmo2(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  common_keys(config, layers, out);
  if (!config.has("sliding_window")) return;
  out.whole("attention.sliding_window", config.whole({"sliding_window"}));
  out.set("attention.sliding_window_pattern", gguf::truth_array(window_layers(config, layers)));
}

}  // namespace

Family family_olmo2() {
  return {
      .architecture = "olmo2",
      .classes = {"Olmo2ForCausalLM", "Olmo3ForCausalLM"},
      .rules = {{"layers.N.post_attention_layernorm.*", "blk.N.post_attention_norm.*", as_it_is},
                {"layers.N.post_feedforward_layernorm.*", "blk.N.post_ffw_norm.*", as_it_is}},
      .describe = describe_olmo2};
}

}  // namespace sluice::checkpoint
