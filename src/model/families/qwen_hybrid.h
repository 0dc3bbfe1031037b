#pragma once

#include "model/attention.h"
#include "model/delta_net.h"
#include "model/families/families.h"
#include "model/families/qwen_experts.h"
#include "model/feed_forward.h"

namespace sluice::model {

inline std::unique_ptr<Part> qwen_gated_attention(const Metadata& model, std::uint64_t layer) {
  AttentionParts parts = attention_parts(model, layer, frame_of(model, layer, "attn_norm"), true);
  add_head_norms(model, layer, parts);
  add_rope(model, false, parts);
  return attention(std::move(parts));
}

inline std::unique_ptr<Part> qwen_dense_or_experts(const Metadata& model, std::uint64_t layer) {
  const Frame frame = frame_of(model, layer, "post_attention_norm");
  if (!model.has(of_block(layer, "ffn_gate_inp.weight"))) {
    return feed_forward(feed_forward_parts(model, layer, frame));
  }
  ExpertsParts parts = qwen_experts(model, layer, frame);
  parts.routing.shares = true;
  return experts(std::move(parts));
}

/// What Qwen3-Next and its successors have in common: of four layers three are gated delta nets, and the
/// fourth has attention with gates.
/// \param tiled  see DeltaHeads
inline Description describe_qwen_hybrid(const Metadata& model, bool tiled) {
  return describe(model, [&](std::uint64_t layer) {
    return layer_of(
        model.in_pattern("full_attention_interval", layer, 4)
            ? delta_net(delta_net_parts(model, layer, frame_of(model, layer, "attn_norm"), tiled))
            : qwen_gated_attention(model, layer),
        qwen_dense_or_experts(model, layer));
  });
}

}  // namespace sluice::model
