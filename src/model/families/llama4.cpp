// Llama 4: of four layers three see their stretch of 8192 tokens, and the fourth sees all, without
// positions. llama.cpp, whose files say neither, knows these numbers too, and Maverick, which has
// no norms of heads, by its 128 experts.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {
namespace {

constexpr std::uint64_t kStretch = 8192;
constexpr std::uint64_t kExpertsOfMaverick = 128;

AttentionParts llama4_attention(const Metadata& model, std::uint64_t layer) {
  AttentionParts parts = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
  if ((layer + 1) % 4 == 0) {
    parts.temperature = {.scale = 0.1, .offset = 1, .stretch = kStretch};
    return parts;
  }
  add_rope(model, true, parts);
  parts.scores.reach = {Reach::Kind::stretch, kStretch};
  parts.norm_after_rope = model.whole("expert_count") != kExpertsOfMaverick;
  return parts;
}

ExpertsParts llama4_experts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  ExpertsParts parts = experts_parts(model, layer, frame);
  parts.routing.gate = Routing::Gate::sigmoid;
  parts.weigh_inputs = true;
  add_shared(model, layer, model.whole("expert_feed_forward_length"), parts);
  return parts;
}

}  // namespace

Description describe_llama4(const Metadata& model) {
  if (model.whole("attention.sliding_window", kStretch) == 0) {
    throw model.error(ErrorCode::input_type,
                      "models of the kind 'llama4' without chunks of attention cannot be run");
  }
  const std::uint64_t step = model.whole("interleave_moe_layer_step");
  return describe(model, [&](std::uint64_t layer) {
    const Frame frame = frame_of(model, layer, "ffn_norm");
    const bool dense = step == 0 || (layer + 1) % step != 0;
    return layer_of(attention(llama4_attention(model, layer)),
                    dense ? feed_forward(feed_forward_parts(model, layer, frame))
                          : experts(llama4_experts(model, layer, frame)));
  });
}

}  // namespace sluice::model
