// dots.llm1.

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {
namespace {

void describe_dots1(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  common_keys(config, layers, out);
  out.whole("expert_feed_forward_length", config.whole({"moe_intermediate_size"}));
  out.whole("leading_dense_block_count", config.whole({"first_k_dense_replace"}));
  out.whole("expert_shared_count", config.whole({"n_shared_experts"}));
  out.number("expert_weights_scale", config.number({"routed_scaling_factor"}));
  out.truth("expert_weights_norm", config.find_truth({"norm_topk_prob"}));
}

}  // namespace

Family family_dots1() {
  return {.architecture = "dots1", .classes = {"Dots1ForCausalLM"}, .describe = describe_dots1};
}

}  // namespace sluice::checkpoint
