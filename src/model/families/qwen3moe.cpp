// Qwen 3 with experts.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {

Description describe_qwen3moe(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    add_head_norms(model, layer, inner);
    add_rope(model, false, inner);
    ExpertsParts outer = experts_parts(model, layer, frame_of(model, layer, "ffn_norm"));
    outer.routing.shares = true;
    return layer_of(attention(std::move(inner)), experts(std::move(outer)));
  });
}

}  // namespace sluice::model
