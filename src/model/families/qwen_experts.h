#pragma once

#include "model/experts.h"

namespace sluice::model {

/// Qwen's experts that all tokens share weigh what they give by a gate of their own.
inline ExpertsParts qwen_experts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  ExpertsParts parts = experts_parts(model, layer, frame);
  add_shared(
      model, layer,
      model.whole("expert_shared_feed_forward_length", model.whole("feed_forward_length", 0)),
      parts);
  parts.shared_gate = Projection::of(model, of_block(layer, "ffn_gate_inp_shexp"), 1,
                                     model.whole("embedding_length"));
  return parts;
}

}  // namespace sluice::model
