// ERNIE 4.5 with experts, behind some dense layers.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {
namespace {

ExpertsParts ernie4_5_experts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  ExpertsParts parts = experts_parts(model, layer, frame);
  parts.routing.shares = true;
  const std::uint64_t shared = model.whole("expert_shared_feed_forward_length", 0);
  if (shared != 0) add_shared(model, layer, shared, parts);
  return parts;
}

}  // namespace

Description describe_ernie4_5_moe(const Metadata& model) {
  const std::uint64_t first = model.whole("leading_dense_block_count", 0);
  const std::uint64_t step = model.whole("interleave_moe_layer_step");
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    add_rope(model, true, inner);
    const Frame frame = frame_of(model, layer, "ffn_norm");
    const bool dense = layer < first || step == 0 || (layer + 1) % step != 0;
    return layer_of(attention(std::move(inner)),
                    dense ? feed_forward(feed_forward_parts(model, layer, frame))
                          : experts(ernie4_5_experts(model, layer, frame)));
  });
}

}  // namespace sluice::model
