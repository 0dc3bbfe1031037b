// OLMo 2 and 3: norms behind both halves of a layer and none before them, norms of all heads
// together, and in OLMo 3 windows in most layers, which know positions as they are.

#include "model/attention.h"
#include "model/families/families.h"
#include "model/feed_forward.h"

namespace sluice::model {
namespace {

AttentionParts olmo2_attention(const Metadata& model, std::uint64_t layer) {
  AttentionParts parts =
      attention_parts(model, layer, frame_of(model, layer, nullptr, "post_attention_norm"));
  add_joint_norms(model, layer, parts);
  const std::uint64_t window = model.whole("attention.sliding_window", 0);
  RopeChoice choice = rope_choice(model, parts.scores.key_length, false);
  if (window == 0 || !model.in_pattern("attention.sliding_window_pattern", layer, 4)) {
    parts.rope = rope_of(model, choice);
    return parts;
  }
  parts.scores.reach = {Reach::Kind::window, window};
  choice.base = model.number("rope.freq_base_swa", static_cast<float>(choice.base));
  choice.scale = 1;
  parts.rope = rope_of(model, choice);
  parts.rope->magnitude = 1;
  return parts;
}

}  // namespace

Description describe_olmo2(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    const Frame frame = frame_of(model, layer, nullptr, "post_ffw_norm");
    return layer_of(attention(olmo2_attention(model, layer)),
                    feed_forward(feed_forward_parts(model, layer, frame)));
  });
}

}  // namespace sluice::model
