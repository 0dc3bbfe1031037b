// Mistral Small 3.1 and later, Ministral 3.

#include "model/attention.h"
#include "model/families/families.h"
#include "model/feed_forward.h"

namespace sluice::model {

Description describe_mistral3(const Metadata& model) {
  const Temperature temperature = temperature_of(model, trained_context(model));
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    inner.scores.scale = model.number("attention.scale", inner.scores.scale);
    inner.temperature = temperature;
    add_rope(model, true, inner);
    return layer_of(
        attention(std::move(inner)),
        feed_forward(feed_forward_parts(model, layer, frame_of(model, layer, "ffn_norm"))));
  });
}

}  // namespace sluice::model
