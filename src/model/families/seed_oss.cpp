// Seed-OSS.

#include "model/attention.h"
#include "model/families/families.h"
#include "model/feed_forward.h"

namespace sluice::model {

Description describe_seed_oss(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    inner.scores.scale = model.number("attention.scale", inner.scores.scale);
    add_rope(model, false, inner);
    return layer_of(attention(std::move(inner)),
                    feed_forward(feed_forward_parts(
                        model, layer, frame_of(model, layer, "post_attention_norm"))));
  });
}

}  // namespace sluice::model
