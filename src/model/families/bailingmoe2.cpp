// Ling 2.0 and Ring, of which half of each head knows positions, and dots.llm1: DeepSeek-V3's experts
// behind usual attention.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {
namespace {

ExpertsParts bailingmoe2_experts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  ExpertsParts parts = experts_parts(model, layer, frame);
  const std::uint64_t shared =
      model.whole("expert_shared_feed_forward_length", model.whole("expert_feed_forward_length"));
  add_shared(model, layer, shared * model.whole("expert_shared_count"), parts);
  return parts;
}

}  // namespace

Description describe_bailingmoe2(const Metadata& model) {
  const std::uint64_t dense = model.whole("leading_dense_block_count", 0);
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    add_head_norms(model, layer, inner);
    add_rope(model, false, inner);
    const Frame frame = frame_of(model, layer, "ffn_norm");
    return layer_of(attention(std::move(inner)),
                    layer < dense ? feed_forward(feed_forward_parts(model, layer, frame))
                                  : experts(bailingmoe2_experts(model, layer, frame)));
  });
}

}  // namespace sluice::model
