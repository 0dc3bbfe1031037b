#pragma once

#include "model/attention.h"
#include "model/delta_net.h"
#include "model/families/families.h"
#include "model/families/qwen_experts.h"
#include "model/feed_forward.h"

namespace sluice::model {

inline std::unique_ptr<Part> qwen_gated_attention(const Metadata& model, std::uint64_t layer,
                                                  const Frame& frame) {
  AttentionParts parts = attention_parts(model, layer, frame, true);
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

inline bool is_delta_net(const Metadata& model, std::uint64_t layer) {
  constexpr const char* kListed = "attention.recurrent_layers";
  return model.has_key(kListed) ? model.in_pattern(kListed, layer, 0)
                                : model.in_pattern("full_attention_interval", layer, 4);
}

/// What Qwen3-Next and its successors have in common: of four layers three are gated delta nets, and the
/// fourth has attention with gates, unless the file says otherwise.
/// \param tiled  see DeltaHeads
inline Description describe_qwen_hybrid(const Metadata& model, bool tiled) {
  return describe(model, [&](std::uint64_t layer) {
    const Frame frame = frame_of(model, layer, "attn_norm");
    return layer_of(is_delta_net(model, layer)
                        ? delta_net(delta_net_parts(model, layer, frame, tiled))
                        : qwen_gated_attention(model, layer, frame),
                    qwen_dense_or_experts(model, layer));
  });
}

}  // namespace sluice::model
