#pragma once

// A random model of each family that src/model runs, with the keys, names and shapes that llama.cpp
// asks for; of some several, where files of a family differ in what is calculated.

#include "support/random_dense.h"
#include "support/random_hybrids.h"
#include "support/random_mixtures.h"

namespace sluice::testing_support {

struct RandomFamily {
  std::string name;
  std::function<Bytes()> build;
};

inline std::vector<RandomFamily> all_random_families() {
  using namespace random_families;
  const RandomLatent from_few{.query_latent = 24};
  return {
      {"llama", llama},
      {"llama-biased", llama_biased},
      {"llama-experts", mixtral},
      {"llama4-scout", [] { return llama4(4); }},
      {"llama4-maverick", [] { return llama4(128); }},
      {"mistral3", mistral3},
      {"qwen2", [] { return qwen2(); }},
      {"qwen3", qwen3},
      {"qwen2moe", qwen2moe},
      {"qwen3moe", qwen3moe},
      {"qwen3next",
       [] { return RandomHybrid{.architecture = "qwen3next", .joined_rates = true}.build(); }},
      {"qwen35",
       [] {
         return RandomHybrid{
             .architecture = "qwen35", .experts = false, .interval = 3, .further = 1}
             .build();
       }},
      {"qwen35moe",
       [] {
         return RandomHybrid{.architecture = "qwen35moe", .interval = 2, .layers = 4}.build();
       }},
      // llama.cpp knows DeepSeek-V2-Lite by its 27 layers.
      {"deepseek2-lite",
       [] {
         return RandomDeepSeek{27, 6, 2, 1, {}}.build();
       }},
      {"deepseek2-v3", [=] { return RandomDeepSeek{3, 16, 4, 2, from_few, 4, 2, true}.build(); }},
      {"deepseek2-joined",
       [] {
         return RandomDeepSeek{3, 16, 4, 2, {.query_latent = 24, .split = false}}.build();
       }},
      {"glm4moe", [] { return glm4moe(false); }},
      {"glm4moe-norms", [] { return glm4moe(true); }},
      {"gpt-oss", gpt_oss},
      {"minimax-m2", minimax_m2},
      {"glm4", glm4},
      {"ernie4_5", ernie4_5},
      {"ernie4_5-moe", ernie4_5_moe},
      {"seed_oss", seed_oss},
      {"smollm3", smollm3},
      {"bailingmoe2", bailingmoe2},
      {"dots1", dots1},
      {"mimo2", mimo2},
      {"step35", step35},
      {"olmo2", olmo2},
      {"olmo3", olmo3},
      {"gemma2", gemma2},
      {"gemma3", gemma3},
      {"phi3", [] { return phi3(4096); }},
      {"phi3-long", [] { return phi3(64); }},
  };
}

}  // namespace sluice::testing_support
