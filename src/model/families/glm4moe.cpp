// GLM-4.5 and 4.6: DeepSeek-V3's experts behind usual attention, of which half of each head knows
// positions.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {
namespace {

ExpertsParts glm4moe_experts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  ExpertsParts parts = experts_parts(model, layer, frame);
  if (model.whole("expert_gating_func", 0) == 0) parts.routing.gate = Routing::Gate::sigmoid;
  const std::uint64_t shared = model.whole("expert_shared_count", 0);
  if (shared != 0) {
    add_shared(model, layer, model.whole("expert_feed_forward_length") * shared, parts);
  }
  return parts;
}

}  // namespace

Description describe_glm4moe(const Metadata& model) {
  const std::uint64_t dense = model.whole("leading_dense_block_count", 0);
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    if (model.has(of_block(layer, "attn_q_norm.weight"))) add_head_norms(model, layer, inner);
    add_rope(model, false, inner);
    const Frame frame = frame_of(model, layer, "post_attention_norm");
    return layer_of(attention(std::move(inner)),
                    layer < dense ? feed_forward(feed_forward_parts(model, layer, frame))
                                  : experts(glm4moe_experts(model, layer, frame)));
  });
}

}  // namespace sluice::model
