// SmolLM3: every fourth layer knows no positions, as llama.cpp knows too, whose files do not say it.

#include "model/attention.h"
#include "model/families/families.h"
#include "model/feed_forward.h"

namespace sluice::model {

Description describe_smollm3(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    inner.scores.scale = model.number("attention.scale", inner.scores.scale);
    if ((layer + 1) % 4 != 0) add_rope(model, true, inner);
    return layer_of(
        attention(std::move(inner)),
        feed_forward(feed_forward_parts(model, layer, frame_of(model, layer, "ffn_norm"))));
  });
}

}  // namespace sluice::model
