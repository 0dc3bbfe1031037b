#pragma once

// Running whole models.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "support/gguf_weights.h"
#include "support/random_families.h"
#include "support/thread_team.h"

namespace sluice::model_tests {

/// What a test of a family is called: letters, digits and underscores.
inline std::string name_of_family(
    const testing::TestParamInfo<testing_support::RandomFamily>& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
}

/// Tokens that any model of random_model.h has.
inline model::Tokens random_tokens(std::uint64_t sequences, std::uint64_t length) {
  std::mt19937 random(7);
  model::Tokens tokens{{}, length};
  for (std::uint64_t i = 0; i < sequences * length; ++i) {
    tokens.ids.push_back(
        static_cast<std::int32_t>(random() % testing_support::RandomModel::kVocabulary));
  }
  return tokens;
}

struct HowToRun {
  Isa isa = best_isa();
  int threads = 1;
  std::uint64_t memory = model::RunSettings().memory;
  model::Watcher* watcher = nullptr;
};

/// Logits after each token.
inline std::vector<float> run(const model::Network& network, model::WeightStore& weights,
                              const model::Tokens& tokens, const HowToRun& how = {}) {
  const model::RunSettings settings{.isa = how.isa, .memory = how.memory};
  ThreadTeam team(how.threads);
  const std::size_t count = tokens.ids.size();
  std::vector<float> numbers(count * network.width());
  const linear::Matrix stream{numbers.data(), count, network.width(), network.width()};
  network.embed(tokens, weights, stream, settings, team);
  for (std::uint64_t layer = 0; layer < network.layers(); ++layer) {
    network.run_layer(layer, tokens, weights, stream, how.watcher, settings, team);
  }
  std::vector<float> logits(count * network.vocabulary());
  network.run_output(stream, weights,
                     {logits.data(), count, network.vocabulary(), network.vocabulary()},
                     how.watcher, settings, team);
  return logits;
}

}  // namespace sluice::model_tests
