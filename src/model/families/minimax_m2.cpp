// MiniMax-M2, M2.1 and M2.5: all heads of queries go through one norm together, those of keys
// through another, and DeepSeek-V3's routing chooses experts.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {

Description describe_minimax_m2(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    add_joint_norms(model, layer, inner);
    add_rope(model, false, inner);
    ExpertsParts outer = experts_parts(model, layer, frame_of(model, layer, "ffn_norm"));
    outer.routing.shares = true;
    return layer_of(attention(std::move(inner)), experts(std::move(outer)));
  });
}

}  // namespace sluice::model
