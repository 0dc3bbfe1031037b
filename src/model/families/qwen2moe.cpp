// Qwen 1.5 and 2 with experts.

#include "model/attention.h"
#include "model/families/families.h"
#include "model/families/qwen_experts.h"

namespace sluice::model {

Description describe_qwen2moe(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    add_rope(model, false, inner);
    return layer_of(attention(std::move(inner)),
                    experts(qwen_experts(model, layer, frame_of(model, layer, "ffn_norm"))));
  });
}

}  // namespace sluice::model
