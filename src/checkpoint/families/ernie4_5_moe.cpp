// ERNIE 4.5 with experts, without the layers that guess more tokens.

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {
namespace {

void describe_ernie4_5_moe(const Description& description) {
  describe_common(description);
  const auto& [config, layers, out, draft] = description;
  const std::uint64_t shared = config.find_whole({"moe_num_shared_experts"}).value_or(0);
  const std::uint64_t width = config.whole({"moe_intermediate_size"});
  out.whole("expert_used_count", config.whole({"moe_k"}));
  out.whole("interleave_moe_layer_step", config.whole({"moe_layer_interval"}));
  out.whole("leading_dense_block_count", config.whole({"moe_layer_start_index"}));
  out.whole("expert_feed_forward_length", width);
  out.whole("expert_shared_count", shared);
  if (shared != 0) out.whole("expert_shared_feed_forward_length", shared * width);
}

}  // namespace

Family family_ernie4_5_moe() {
  return {.architecture = "ernie4_5-moe",
          .classes = {"Ernie4_5_MoeForCausalLM"},
          .rules = {{"layers.N.mlp.moe_statics.e_score_correction_bias", "blk.N.exp_probs_b.bias",
                     as_it_is}},
          .describe = describe_ernie4_5_moe,
          .dropped_prefix = "model.mtp_"};
}

}  // namespace sluice::checkpoint
