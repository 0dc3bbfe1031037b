// Qwen 1.5 and 2 with experts: those that all tokens share weigh what they give by a gate of their
// own.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {

Description describe_qwen2moe(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    add_rope(model, false, inner);
    ExpertsParts outer = experts_parts(model, layer, frame_of(model, layer, "ffn_norm"));
    add_shared(
        model, layer,
        model.whole("expert_shared_feed_forward_length", model.whole("feed_forward_length", 0)),
        outer);
    outer.shared_gate = Projection::of(model, of_block(layer, "ffn_gate_inp_shexp"), 1,
                                       model.whole("embedding_length"));
    return layer_of(attention(std::move(inner)), experts(std::move(outer)));
  });
}

}  // namespace sluice::model
