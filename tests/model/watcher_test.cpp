// What is told of the inputs of matrices: each matrix once, all tokens in their order, and the
// numbers that a plain calculation has.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "model/reference.h"
#include "model/runs.h"

namespace sluice::model_tests {
namespace {

using testing_support::GgufWeights;
namespace families = testing_support::random_families;

class Notes : public model::Watcher {
 public:
  bool wants(const model::Input& input) override {
    EXPECT_FALSE(rows_.contains(input.tensors));
    rows_[input.tensors];
    return input.tensors != unwanted;
  }
  void see(const model::Input& input, const linear::ConstMatrix& x) override {
    EXPECT_FALSE(finished_[input.tensors]);
    for (std::size_t t = 0; t < x.rows; ++t) {
      rows_[input.tensors].emplace_back(x.row(t), x.row(t) + x.columns);
    }
  }
  void finished(const model::Input& input) override {
    EXPECT_FALSE(finished_[input.tensors]);
    finished_[input.tensors] = true;
    order.push_back(input.tensors);
  }

  const std::vector<std::vector<float>>& rows(const std::vector<std::string>& tensors) const {
    return rows_.at(tensors);
  }

  std::vector<std::string> unwanted;
  std::vector<std::vector<std::string>> order;  ///< of those that are finished

 private:
  std::map<std::vector<std::string>, std::vector<std::vector<float>>> rows_;
  std::map<std::vector<std::string>, bool> finished_;
};

Notes notes_of(GgufWeights& weights, const model::Tokens& tokens) {
  const model::Network network = model::Network::of(weights.header(), "model");
  Notes notes;
  run(network, weights, tokens, {.memory = network.least_memory(tokens, 1), .watcher = &notes});
  return notes;
}

void expect_inputs(const testing_support::Bytes& file, const Reference& family) {
  GgufWeights weights(file);
  const model::Tokens tokens = random_tokens(1, 40);
  const Calculated truth = family.calculate(weights, tokens.ids);
  const Notes notes = notes_of(weights, tokens);
  std::size_t matrices = 0;
  for (const auto& tensors : notes.order) {
    for (const std::string& name : tensors) {
      const auto& rows = notes.rows(tensors);
      const std::vector<Row>& wanted = truth.inputs.at(name);
      ASSERT_EQ(rows.size(), wanted.size()) << name;
      for (std::size_t t = 0; t < rows.size(); ++t) {
        for (std::size_t i = 0; i < rows[t].size(); ++i) {
          ASSERT_NEAR(rows[t][i], wanted[t][i], 1e-4) << name;
        }
      }
      ++matrices;
    }
  }
  EXPECT_EQ(matrices, truth.inputs.size());
}

TEST(Watcher, SeesWhatMatricesAreMultipliedBy) {
  expect_inputs(families::llama(), {.layers = 3, .neighbours = true});
  const testing_support::RandomHybrid hybrid{
      .architecture = "qwen35", .experts = false, .interval = 2, .layers = 2};
  expect_inputs(hybrid.build(), {.layers = 2,
                                 .length = 32,
                                 .turned = 8,
                                 .delta = ReferenceDelta{.tiled = true, .interval = 2}});
}

TEST(Watcher, IsToldOfMatricesTogetherThatShareAnInput) {
  GgufWeights weights(families::llama());
  const Notes notes = notes_of(weights, random_tokens(2, 10));
  const std::vector<std::vector<std::string>> first(notes.order.begin(), notes.order.begin() + 4);
  EXPECT_EQ(first, (std::vector<std::vector<std::string>>{
                       {"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight"},
                       {"blk.0.attn_output.weight"},
                       {"blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"},
                       {"blk.0.ffn_down.weight"}}));
  EXPECT_EQ(notes.order.back(), std::vector<std::string>{"output.weight"});
  EXPECT_EQ(notes.order.size(), 13u);
}

TEST(Watcher, IsToldOfJoinedMatricesByTheirOwnNames) {
  GgufWeights weights(families::phi3(4096));
  const Notes notes = notes_of(weights, random_tokens(1, 10));
  const std::vector<std::vector<std::string>> first(notes.order.begin(), notes.order.begin() + 4);
  EXPECT_EQ(first, (std::vector<std::vector<std::string>>{{"blk.0.attn_qkv.weight"},
                                                          {"blk.0.attn_output.weight"},
                                                          {"blk.0.ffn_up.weight"},
                                                          {"blk.0.ffn_down.weight"}}));
}

TEST(Watcher, SeesNothingOfWhatItDoesNotWant) {
  GgufWeights weights(families::llama());
  const model::Network network = model::Network::of(weights.header(), "model");
  Notes notes;
  notes.unwanted = {"blk.1.ffn_down.weight"};
  run(network, weights, random_tokens(1, 10), {.watcher = &notes});
  EXPECT_TRUE(notes.rows(notes.unwanted).empty());
  EXPECT_EQ(notes.order.size(), 13u);
}

TEST(Watcher, IsToldOfWhatTheNetworkNamesBefore) {
  for (const auto& file : {families::llama(), families::phi3(4096)}) {
    GgufWeights weights(file);
    const model::Network network = model::Network::of(weights.header(), "model");
    std::vector<std::vector<std::string>> named;
    for (std::uint64_t layer = 0; layer <= network.layers(); ++layer) {
      for (const auto& together : network.inputs_of(layer)) {
        for (const model::Input& input : together) named.push_back(input.tensors);
      }
    }
    EXPECT_EQ(notes_of(weights, random_tokens(1, 10)).order, named);
  }
}

TEST(Network, NamesTheTensorsThatItNeeds) {
  GgufWeights weights(families::llama());
  const model::Network network = model::Network::of(weights.header(), "model");
  std::size_t named = 0;
  for (std::uint64_t layer = 0; layer < network.layers(); ++layer) {
    for (const std::string& name : network.tensors_of(layer)) {
      EXPECT_TRUE(weights.has(name)) << name;
      ++named;
    }
  }
  EXPECT_EQ(named, 3u * 10);  // nine tensors of its own, and the factors of positions
}

}  // namespace
}  // namespace sluice::model_tests
