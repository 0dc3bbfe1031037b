#pragma once

#include <cmath>
#include <utility>

#include "model/attention.h"
#include "model/families/families.h"
#include "model/feed_forward.h"

namespace sluice::model {

/// What Gemma's models have in common: parts between two norms, GeGLU, an embedding that is scaled,
/// and a scale of attention that is another for the largest. \param largest  its number of layers
/// \param window   adds what a layer has of its own
template <typename Window>
Description describe_gemma(const Metadata& model, std::uint64_t largest, const Window& window) {
  Description description = describe(model, [&](std::uint64_t layer) {
    AttentionParts inner =
        attention_parts(model, layer, frame_of(model, layer, "attn_norm", "post_attention_norm"));
    if (model.whole("block_count") == largest) {
      const std::uint64_t length = model.whole("embedding_length") / inner.scores.heads;
      inner.scores.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(length)));
    }
    window(layer, inner);
    FeedForwardParts outer =
        feed_forward_parts(model, layer, frame_of(model, layer, "ffn_norm", "post_ffw_norm"));
    outer.activation = Activation::gelu;
    return layer_of(attention(std::move(inner)), feed_forward(std::move(outer)));
  });
  description.embedding_scale =
      static_cast<float>(std::sqrt(static_cast<double>(description.width)));
  return description;
}

}  // namespace sluice::model
