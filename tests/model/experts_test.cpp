// What is told of the inputs of experts and heads: each of them once, with the tokens that a router
// calculated in double sends there.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/runs.h"

namespace sluice::model_tests {
namespace {

using testing_support::Bytes;
using testing_support::GgufWeights;
namespace families = testing_support::random_families;
using Rows = std::vector<std::vector<float>>;

/// What is told of each matrix.
class Seen : public model::Watcher {
 public:
  using Matrix = std::pair<std::string, std::uint64_t>;

  bool wants(const model::Input&) override { return true; }
  void see(const model::Input& input, const linear::ConstMatrix& x) override {
    for (const std::string& tensor : input.tensors) {
      Rows& rows = rows_[{tensor, input.number}];
      for (std::size_t t = 0; t < x.rows; ++t) rows.emplace_back(x.row(t), x.row(t) + x.columns);
    }
  }
  void finished(const model::Input& input) override {
    for (const std::string& tensor : input.tensors) {
      EXPECT_LT(input.number, input.matrices);
      EXPECT_TRUE(finished_.insert({tensor, input.number}).second) << tensor << " twice";
    }
  }

  const Rows& rows(const std::string& tensor, std::uint64_t number = 0) {
    return rows_[{tensor, number}];
  }
  const std::set<Matrix>& all_finished() const { return finished_; }

 private:
  std::map<Matrix, Rows> rows_;
  std::set<Matrix> finished_;
};

Seen seen_of(const Bytes& file, const model::Tokens& tokens) {
  GgufWeights weights(file);
  const model::Network network = model::Network::of(weights.header(), "model");
  Seen seen;
  run(network, weights, tokens, {.memory = network.least_memory(tokens, 1), .watcher = &seen});
  return seen;
}

/// The router's scores of one token.
std::vector<double> scores_of(const std::vector<float>& router, const std::vector<float>& x) {
  std::vector<double> scores(router.size() / x.size());
  for (std::size_t e = 0; e < scores.size(); ++e) {
    for (std::size_t i = 0; i < x.size(); ++i) scores[e] += double{router[e * x.size() + i]} * x[i];
  }
  return scores;
}

/// Of all tokens those of which an expert is among the best.
Rows sent_to(std::size_t expert, std::size_t used, const std::vector<float>& router,
             const Rows& inputs) {
  Rows sent;
  for (const std::vector<float>& x : inputs) {
    const std::vector<double> scores = scores_of(router, x);
    const auto better = std::count_if(scores.begin(), scores.end(),
                                      [&](double score) { return score > scores[expert]; });
    if (static_cast<std::size_t>(better) < used) sent.push_back(x);
  }
  return sent;
}

TEST(Experts, SeeTheTokensThatAreSentToThem) {
  const Bytes file = families::qwen2moe();
  GgufWeights weights(file);
  Seen seen = seen_of(file, random_tokens(2, 40));
  for (const char* const block : {"blk.0.", "blk.2."}) {
    const std::string name = std::string(block) + "ffn_";
    const std::vector<float> router = weights.numbers(name + "gate_inp.weight");
    const Rows& inputs = seen.rows(name + "gate_inp.weight");
    ASSERT_EQ(inputs.size(), 80u);
    EXPECT_EQ(seen.rows(name + "gate_inp_shexp.weight"), inputs);
    EXPECT_EQ(seen.rows(name + "up_shexp.weight"), inputs);
    for (std::size_t expert = 0; expert < 6; ++expert) {
      const Rows sent = sent_to(expert, 3, router, inputs);
      EXPECT_EQ(seen.rows(name + "gate_exps.weight", expert), sent) << expert;
      EXPECT_EQ(seen.rows(name + "up_exps.weight", expert), sent) << expert;
      EXPECT_EQ(seen.rows(name + "down_exps.weight", expert).size(), sent.size()) << expert;
    }
  }
}

TEST(Experts, SeeInputsAsTheyAreWeighedInLlama4) {
  const Bytes file = families::llama4(4);
  GgufWeights weights(file);
  Seen seen = seen_of(file, random_tokens(1, 40));
  const std::vector<float> router = weights.numbers("blk.1.ffn_gate_inp.weight");
  const Rows& inputs = seen.rows("blk.1.ffn_gate_inp.weight");
  for (std::size_t expert = 0; expert < 4; ++expert) {
    const Rows sent = sent_to(expert, 1, router, inputs);
    const Rows& found = seen.rows("blk.1.ffn_up_exps.weight", expert);
    ASSERT_EQ(found.size(), sent.size());
    for (std::size_t t = 0; t < sent.size(); ++t) {
      const double weight = 1 / (1 + std::exp(-scores_of(router, sent[t])[expert]));
      for (std::size_t i = 0; i < sent[t].size(); ++i) {
        EXPECT_NEAR(found[t][i], weight * sent[t][i], 1e-5);
      }
    }
  }
}

TEST(Experts, AreFinishedThoughNoTokenCame) {
  const Seen seen = seen_of(families::qwen3moe(), random_tokens(1, 1));
  for (std::uint64_t expert = 0; expert < 12; ++expert) {
    for (const char* const name : {"blk.1.ffn_up_exps.weight", "blk.1.ffn_down_exps.weight"}) {
      EXPECT_TRUE(seen.all_finished().contains({name, expert})) << name << expert;
    }
  }
}

class Names : public testing::TestWithParam<testing_support::RandomFamily> {};

// A matrix, or each of several: as many as the shape says.
std::set<Seen::Matrix> matrices_of(const gguf::Header& header, std::uint64_t layers) {
  std::set<Seen::Matrix> all;
  for (const gguf::Tensor& tensor : header.tensors) {
    const bool weight = tensor.name.starts_with("blk.") && tensor.name.ends_with(".weight");
    const bool matrix = tensor.name.ends_with("ffn_gate_inp_shexp.weight") ||
                        (tensor.shape.size() > 1 && !tensor.name.ends_with("ssm_conv1d.weight"));
    if (!weight || !matrix || std::stoull(tensor.name.substr(4)) >= layers) continue;
    const std::uint64_t count = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
    for (std::uint64_t i = 0; i < count; ++i) all.insert({tensor.name, i});
  }
  return all;
}

TEST_P(Names, AllTensorsAreNeededAndAllMatricesAreTold) {
  const Bytes file = GetParam().build();
  GgufWeights weights(file);
  const model::Network network = model::Network::of(weights.header(), "model");
  std::set<std::string> needed;
  std::set<std::string> named;
  for (std::uint64_t layer = 0; layer < network.layers(); ++layer) {
    for (const std::string& name : network.tensors_of(layer)) needed.insert(name);
    for (const auto& together : network.inputs_of(layer)) {
      for (const model::Input& input : together) {
        named.insert(input.tensors.begin(), input.tensors.end());
      }
    }
  }
  for (const gguf::Tensor& tensor : weights.header().tensors) {
    if (!tensor.name.starts_with("blk.")) continue;
    EXPECT_EQ(needed.contains(tensor.name), std::stoull(tensor.name.substr(4)) < network.layers())
        << tensor.name;
  }
  std::set<Seen::Matrix> told = seen_of(file, random_tokens(1, 8)).all_finished();
  std::erase_if(told, [](const Seen::Matrix& each) { return !each.first.starts_with("blk."); });
  EXPECT_EQ(told, matrices_of(weights.header(), network.layers()));
  for (const Seen::Matrix& each : told) EXPECT_TRUE(named.contains(each.first)) << each.first;
}

INSTANTIATE_TEST_SUITE_P(Families, Names, testing::ValuesIn(testing_support::all_random_families()),
                         name_of_family);

}  // namespace
}  // namespace sluice::model_tests
