// GLM-4-0414 and GLM-Z1, dense: norms around both halves of a layer, and half of each head knows
// positions.

#include "model/attention.h"
#include "model/families/families.h"
#include "model/feed_forward.h"

namespace sluice::model {

Description describe_glm4(const Metadata& model) {
  // Files with sections of positions, as its relatives that see have, turn other pairs.
  const bool neighbours = !model.has_key("rope.dimension_sections");
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner =
        attention_parts(model, layer, frame_of(model, layer, "attn_norm", "post_attention_norm"));
    add_rope(model, neighbours, inner);
    return layer_of(attention(std::move(inner)),
                    feed_forward(feed_forward_parts(
                        model, layer, frame_of(model, layer, "ffn_norm", "post_ffw_norm"))));
  });
}

}  // namespace sluice::model
