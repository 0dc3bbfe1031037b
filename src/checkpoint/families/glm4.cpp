// GLM-4-0414 and GLM-Z1, dense: norms around both halves of a layer.

#include "checkpoint/families/family.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

void describe_glm4(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  if (rope_parameters(config).has("mrope_section")) {
    config.refuse("mrope_section", "sluice does not read GLM-4 with sections of positions");
  }
  common_keys(config, layers, out);
  out.whole("rope.dimension_count", rotating_part(config, 0.5));
}

}  // namespace

Family family_glm4() {
  return {
      .architecture = "glm4",
      .classes = {"Glm4ForCausalLM"},
      .rules = {{"layers.N.post_self_attn_layernorm.*", "blk.N.post_attention_norm.*", as_it_is},
                {"layers.N.post_mlp_layernorm.*", "blk.N.post_ffw_norm.*", as_it_is},
                {"layers.N.mlp.gate_up_proj.*", "blk.N.ffn_up.*", as_it_is}},
      .describe = describe_glm4};
}

}  // namespace sluice::checkpoint
