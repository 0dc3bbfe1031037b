// MiniMax-M2, M2.1 and M2.5.

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {
namespace {

void describe_minimax_m2(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  common_keys(config, layers, out);
  out.whole("expert_feed_forward_length", config.whole({"intermediate_size"}));
  out.whole("rope.dimension_count", config.whole({"rotary_dim"}));
}

}  // namespace

Family family_minimax_m2() {
  return {.architecture = "minimax-m2",
          .classes = {"MiniMaxM2ForCausalLM"},
          .rules = {{"layers.N.mlp.e_score_correction_bias", "blk.N.exp_probs_b.bias", as_it_is}},
          .describe = describe_minimax_m2};
}

}  // namespace sluice::checkpoint
