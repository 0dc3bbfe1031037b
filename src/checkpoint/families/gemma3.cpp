// Gemma 3, whose files leave out what its class has by default.

#include <algorithm>

#include "checkpoint/families/gemma.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

/// Rows past the vocabulary stand for no tokens.
void embedding_of_vocabulary(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(2);
  const std::uint64_t rows =
      std::min(shape[0], match.config.find_whole({"vocab_size"}).value_or(shape[0]));
  match.make(draft, "", {rows, shape[1]}, {match.view(0, {{rows, shape[1]}, {shape[1], 1}})});
}

void describe_gemma3(const Description& description) {
  const auto& [stored_config, layers, out, draft] = description;
  Config config = stored_config;
  const auto by_default = [&](std::string_view key, Json value) {
    if (!config.has(key)) config.set(key, std::move(value));
  };
  by_default("max_position_embeddings", 131072);
  by_default("num_attention_heads", 8);
  by_default("num_key_value_heads", 4);
  by_default("head_dim", 256);
  by_default("rms_norm_eps", 1e-6);
  common_keys(config, layers, out);
  out.number("rope.freq_base", rope_parameters(config).find_number({"rope_theta"}).value_or(1e6));
  out.number("final_logit_softcapping", config.find_number({"final_logit_softcapping"}));
  if (config.find_whole({"sliding_window_pattern"}) != 1) {
    out.whole("attention.sliding_window", config.whole({"sliding_window"}));
  }
}

}  // namespace

Family family_gemma3() {
  std::vector<Rule> rules = gemma_rules();
  rules.push_back({"embed_tokens.weight", "token_embd.weight", embedding_of_vocabulary});
  return {.architecture = "gemma3",
          .classes = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"},
          .rules = std::move(rules),
          .describe = describe_gemma3,
          .less_one = is_gemma_norm};
}

}  // namespace sluice::checkpoint
