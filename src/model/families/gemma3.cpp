// Gemma 3: norms of heads, and windows in five of six layers, which know positions as they are.

#include "model/families/gemma.h"

namespace sluice::model {

Description describe_gemma3(const Metadata& model) {
  const std::uint64_t window = model.whole("attention.sliding_window", 0);
  Description description =
      describe_gemma(model, 62, [&](std::uint64_t layer, AttentionParts& parts) {
        add_head_norms(model, layer, parts);
        RopeChoice choice = rope_choice(model, parts.scores.key_length, false);
        if (window != 0 && model.in_pattern("attention.sliding_window_pattern", layer, 6)) {
          parts.scores.reach = {Reach::Kind::window, window};
          choice.base = model.number("rope.freq_base_swa", 10000);
          choice.scale = 1;
        }
        parts.rope = rope_of(model, choice);
      });
  description.logit_cap = model.number("final_logit_softcapping", 0);
  return description;
}

}  // namespace sluice::model
