// Step-3.5-Flash: windows in most layers, whose heads are more and know positions whole, the others'
// in half; gates that weigh what each head gives; experts, behind dense layers, some of which have
// limits.

#include "model/attention.h"
#include "model/experts.h"
#include "model/families/families.h"

namespace sluice::model {
namespace {

AttentionParts step35_attention(const Metadata& model, std::uint64_t layer) {
  AttentionParts parts = attention_parts(model, layer, frame_of(model, layer, "attn_norm"));
  if (model.has(of_block(layer, "attn_q_norm.weight"))) add_head_norms(model, layer, parts);
  if (model.has(of_block(layer, "attn_gate.weight"))) {
    parts.head_gate = Projection::of(model, of_block(layer, "attn_gate"), parts.scores.heads,
                                     model.whole("embedding_length"));
  }
  RopeChoice choice = rope_choice(model, parts.scores.key_length, false);
  if (add_window(model, layer, parts, choice)) {
    parts.rope = rope_of(model, choice);
    return parts;
  }
  choice.dimensions /= 2;
  parts.rope = rope_of(model, choice);
  add_factors(model, choice.dimensions, *parts.rope);
  return parts;
}

ExpertsParts step35_experts(const Metadata& model, std::uint64_t layer, const Frame& frame,
                            float limit) {
  ExpertsParts parts = experts_parts(model, layer, frame);
  if (model.whole("expert_gating_func", 0) == 0) parts.routing.gate = Routing::Gate::sigmoid;
  parts.each.limit = model.number_of_layer("swiglu_clamp_exp", layer, 0);
  add_shared(model, layer, model.whole("expert_shared_feed_forward_length"), parts);
  parts.shared->limit = limit;
  return parts;
}

}  // namespace

Description describe_step35(const Metadata& model) {
  return describe(model, [&](std::uint64_t layer) {
    const Frame frame = frame_of(model, layer, "ffn_norm");
    const float limit = model.number_of_layer("swiglu_clamp_shexp", layer, 0);
    if (model.has(of_block(layer, "ffn_gate_inp.weight"))) {
      return layer_of(attention(step35_attention(model, layer)),
                      experts(step35_experts(model, layer, frame, limit)));
    }
    FeedForwardParts dense = feed_forward_parts(model, layer, frame);
    dense.limit = limit;
    return layer_of(attention(step35_attention(model, layer)), feed_forward(std::move(dense)));
  });
}

}  // namespace sluice::model
