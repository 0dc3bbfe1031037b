// MiMo-V2-Flash: windows in most layers, whose heads have sinks and of which keys and values have
// more heads; experts behind dense layers.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {
namespace {

AttentionParts mimo2_attention(const Metadata& model, std::uint64_t layer) {
  AttentionParts parts = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
  parts.sinks = model.numbers_if_any(of_block(layer, "attn_sinks.weight"), parts.scores.heads);
  parts.output_scale = model.number("attention.value_scale", 1);
  RopeChoice choice = rope_choice(model, parts.scores.key_length, false);
  add_window(model, layer, parts, choice);
  parts.rope = rope_of(model, choice);
  return parts;
}

ExpertsParts mimo2_experts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  ExpertsParts parts = experts_parts(model, layer, frame);
  parts.routing.gate = Routing::Gate::sigmoid;
  parts.routing.shares = true;
  return parts;
}

}  // namespace

Description describe_mimo2(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    const Frame frame = frame_of(model, layer, "ffn_norm");
    const bool dense = !model.has(of_block(layer, "ffn_gate_inp.weight"));
    return layer_of(attention(mimo2_attention(model, layer)),
                    dense ? feed_forward(feed_forward_parts(model, layer, frame))
                          : experts(mimo2_experts(model, layer, frame)));
  });
}

}  // namespace sluice::model
