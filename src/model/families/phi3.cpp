// Phi 3, 3.5 and 4: one matrix for queries, keys and values, one for gate and up, and LongRoPE.
// Windows that some say to have are left out, as llama.cpp does.

#include "model/attention.h"
#include "model/families/families.h"
#include "model/feed_forward.h"

namespace sluice::model {

Description describe_phi3(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    add_rope(model, false, inner);
    return layer_of(
        attention(std::move(inner)),
        feed_forward(feed_forward_parts(model, layer, frame_of(model, layer, "ffn_norm"))));
  });
}

}  // namespace sluice::model
