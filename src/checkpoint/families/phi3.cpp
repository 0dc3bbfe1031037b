// Phi-3, Phi-4.

#include <cmath>

#include "checkpoint/families/family.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

struct Phi3Rope {
  std::uint64_t context;
  std::uint64_t first_context;  ///< that it was trained with first
  std::uint64_t rotating;       ///< of a head
};

Phi3Rope phi3_rope(const Config& config) {
  const Config rope = rope_parameters(config);
  const double part = rope.find_number({"partial_rotary_factor"}).value_or(1);
  if (!(part >= 0 && part <= 1)) rope.refuse("partial_rotary_factor", "expected is 0 to 1");
  const auto width = static_cast<double>(config.whole({"hidden_size", "n_embd"}));
  return {config.positive({"n_positions", "max_position_embeddings"}),
          rope.positive({"original_max_position_embeddings"}),
          static_cast<std::uint64_t>(width * part) /
              config.positive({"num_attention_heads", "n_head"})};
}

/// Factors of the positions, in two sets for short and long contexts.
void long_rope(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  const Config rope = rope_parameters(config);
  const std::string type = rope.find_text({"rope_type"}).value_or("default");
  if (type == "default") return;
  const auto [context, first_context, rotating] = phi3_rope(config);
  const auto length = static_cast<double>(context);
  const auto first = static_cast<double>(first_context);
  const double scale = length / first;
  double factor = 1;
  if (type == "su" || type == "longrope") {
    if (scale > 1 && first > 1) factor = std::sqrt(1 + std::log(scale) / std::log(first));
  } else if (type == "yarn") {
    if (scale > 1) factor = 0.1 * std::log(scale) + 1;
  } else {
    rope.refuse("rope_type", "expected is longrope");
  }
  out.number("rope.scaling.attn_factor", factor);
  for (const std::string set : {"long", "short"}) {
    const std::string key = set + "_factor";
    const auto factors = rope.find_numbers(key);
    if (!factors || factors->size() != rotating / 2 || factors->empty()) {
      rope.refuse(key, "expected is a factor for each pair of a head that rotates");
    }
    draft.add_values("rope_factors_" + set + ".weight", {factors->begin(), factors->end()});
  }
}

void describe_phi3(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  const auto [context, first_context, rotating] = phi3_rope(config);
  out.whole("context_length", context);
  out.whole("rope.scaling.original_context_length", first_context);
  out.whole("embedding_length", config.whole({"hidden_size", "n_embd"}));
  out.whole("feed_forward_length", config.whole({"intermediate_size"}));
  out.whole("block_count", layers);
  out.whole("attention.head_count", config.whole({"num_attention_heads", "n_head"}));
  out.whole("attention.head_count_kv", config.whole({"num_key_value_heads", "n_head_kv"}));
  out.number("attention.layer_norm_rms_epsilon", config.number({"rms_norm_eps"}));
  out.whole("rope.dimension_count", rotating);
  out.number("rope.freq_base", rope_parameters(config).number({"rope_theta"}));
  // None marks Phi-4 for loaders.
  out.whole("attention.sliding_window", config.find_whole({"sliding_window"}).value_or(0));
  long_rope(description);
}

}  // namespace

Family family_phi3() {
  return {.architecture = "phi3",
          .classes = {"Phi3ForCausalLM"},
          .rules = {{"layers.N.self_attn.qkv_proj.*", "blk.N.attn_qkv.*", as_it_is},
                    {"layers.N.mlp.gate_up_proj.*", "blk.N.ffn_up.*", as_it_is}},
          .describe = describe_phi3};
}

}  // namespace sluice::checkpoint
