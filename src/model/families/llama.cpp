// Llama 1 to 3.x, Mistral 7B and Nemo, and Mixtral, which has experts; dense ERNIE 4.5.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {

namespace {

std::unique_ptr<Part> llama_feed_forward(const Metadata& model, std::uint64_t layer) {
  const Frame frame = frame_of(model, layer, "ffn_norm");
  if (model.whole("expert_count", 0) == 0) {
    return feed_forward(feed_forward_parts(model, layer, frame));
  }
  ExpertsParts parts = experts_parts(model, layer, frame);
  parts.routing.shares = true;
  return experts(std::move(parts));
}

}  // namespace

Description describe_llama(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    inner.scores.scale = model.number("attention.scale", inner.scores.scale);
    add_rope(model, true, inner);
    return layer_of(attention(std::move(inner)), llama_feed_forward(model, layer));
  });
}

}  // namespace sluice::model
