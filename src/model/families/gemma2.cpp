// Gemma 2: windows in every other layer, and caps for scores and logits.

#include "model/families/gemma.h"

namespace sluice::model {

Description describe_gemma2(const Metadata& model) {
  const std::uint64_t window = model.whole("attention.sliding_window", 4096);
  Description description =
      describe_gemma(model, 46, [&](std::uint64_t layer, AttentionParts& parts) {
        parts.scores.cap = model.number("attn_logit_softcapping", 50);
        RopeChoice choice = rope_choice(model, parts.scores.key_length, false);
        if (window != 0 && model.in_pattern("attention.sliding_window_pattern", layer, 2)) {
          parts.scores.reach = {Reach::Kind::window, window};
          choice.base = model.number("rope.freq_base_swa", static_cast<float>(choice.base));
        }
        parts.rope = rope_of(model, choice);
      });
  description.logit_cap = model.number("final_logit_softcapping", 30);
  return description;
}

}  // namespace sluice::model
