// gpt-oss: sinks that take a share of each head's attention, windows in every other layer, biases
// everywhere, and a SwiGLU that is clamped.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {

Description describe_gpt_oss(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    AttentionParts inner = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
    inner.sinks = model.numbers(of_block(layer, "attn_sinks.weight"), inner.scores.heads);
    RopeChoice choice = rope_choice(model, inner.scores.key_length, false);
    if (model.in_pattern("attention.sliding_window_pattern", layer, 2)) {
      inner.scores.reach = {Reach::Kind::window, model.whole("attention.sliding_window")};
      choice.base = model.number("rope.freq_base_swa", static_cast<float>(choice.base));
    }
    inner.rope = rope_of(model, choice);
    ExpertsParts outer = experts_parts(model, layer, frame_of(model, layer, "post_attention_norm"));
    outer.routing.gate = Routing::Gate::softmax_of_chosen;
    outer.each.activation = Activation::clamped_silu;
    return layer_of(attention(std::move(inner)), experts(std::move(outer)));
  });
}

}  // namespace sluice::model
