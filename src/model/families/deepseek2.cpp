// DeepSeek-V2, V3 and R1, Kimi K2: latent attention, a few dense layers, then experts, some of
// which all tokens share.

#include <cmath>

#include "model/experts.h"
#include "model/families/families.h"
#include "model/latent_attention.h"

namespace sluice::model {
namespace {

// YaRN sharpens the part with positions by itself; here the part without gets the same.
float deepseek2_scale(const Metadata& model, const RopeChoice& choice, const Rope& rope,
                      std::uint64_t key) {
  const double growth =
      1 - model.number("rope.scaling.yarn_log_multiplier", 0) * std::log(choice.scale);
  return static_cast<float>(std::pow(rope.magnitude * growth, 2) /
                            std::sqrt(static_cast<double>(key)));
}

LatentParts deepseek2_attention(const Metadata& model, std::uint64_t layer) {
  LatentParts parts = latent_parts(model, layer, frame_of(model, layer, "attn_norm"));
  const RopeChoice choice = rope_choice(model, parts.latent.rows - parts.keys.rows, true);
  parts.rope = rope_of(model, choice);
  parts.scale = deepseek2_scale(model, choice, parts.rope, parts.query.rows / parts.heads);
  parts.temperature =
      temperature_of(model, model.whole("attention.temperature_length", trained_context(model)));
  return parts;
}

}  // namespace

Description describe_deepseek2(const Metadata& model) {
  const std::uint64_t dense = model.whole("leading_dense_block_count", 0);
  return describe(model, [&](std::uint64_t layer) {
    std::unique_ptr<Part> inner = latent_attention(deepseek2_attention(model, layer));
    const Frame frame = frame_of(model, layer, "ffn_norm");
    if (layer < dense) {
      return layer_of(std::move(inner), feed_forward(feed_forward_parts(model, layer, frame)));
    }
    ExpertsParts outer = experts_parts(model, layer, frame);
    add_shared(model, layer,
               model.whole("expert_feed_forward_length") * model.whole("expert_shared_count"),
               outer);
    return layer_of(std::move(inner), experts(std::move(outer)));
  });
}

}  // namespace sluice::model
