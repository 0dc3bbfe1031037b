// Who watches may change what a matrix gives for some tokens: these then go on exactly as if the model
// had another matrix there, and the others as if nothing had happened.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "linear/products.h"
#include "model/runs.h"

namespace sluice::model_tests {
namespace {

using testing_support::GgufWeights;

/// A matrix with each row multiplied by something else.
class OtherRows final : public linear::Rows {
 public:
  explicit OtherRows(const linear::Rows& of) : of_(of) {}

  std::size_t rows() const override { return of_.rows(); }
  std::size_t columns() const override { return of_.columns(); }
  void decode(std::size_t first, std::size_t count, float* out) const override {
    of_.decode(first, count, out);
    for (std::size_t i = 0; i < count * columns(); ++i) {
      out[i] *= 1.25F + 0.25F * static_cast<float>((first + i / columns()) % 3);
    }
  }

 private:
  const linear::Rows& of_;
};

/// A model that has other rows in one tensor.
class OtherModel final : public model::WeightStore {
 public:
  OtherModel(GgufWeights& weights, std::string tensor)
      : weights_(weights), tensor_(std::move(tensor)) {}

  std::shared_ptr<const linear::Rows> matrix(std::string_view tensor,
                                             std::uint64_t number) override {
    auto rows = weights_.matrix(tensor, number);
    if (tensor != tensor_) return rows;
    own_.push_back(rows);
    return std::make_shared<OtherRows>(*rows);
  }
  std::vector<float> numbers(std::string_view tensor) override { return weights_.numbers(tensor); }
  bool has(std::string_view tensor) const override { return weights_.has(tensor); }

 private:
  GgufWeights& weights_;
  const std::string tensor_;
  std::vector<std::shared_ptr<const linear::Rows>> own_;
};

/// Has a tensor's products made of other rows for the tokens from `first` on.
class Changes final : public model::Watcher {
 public:
  Changes(std::string tensor, std::uint64_t first) : tensor_(std::move(tensor)), first_(first) {}

  bool wants(const model::Input&) override { return false; }
  void see(const model::Input&, const linear::ConstMatrix&) override {}
  void finished(const model::Input&) override {}
  void multiplied(const model::Product& product) override {
    if (product.tensor != tensor_) return;
    const OtherRows other(product.weight);
    for (std::size_t row = 0; row < product.y.rows; ++row) {
      if (product.tokens[row] < first_) continue;
      const linear::Matrix y{product.y.row(row), 1, product.y.columns, product.y.stride};
      linear::multiply({product.x.row(row), 1, product.x.columns, product.x.stride}, other, y,
                       best_isa(), team_);
      ++changed;
    }
  }

  std::size_t changed = 0;

 private:
  const std::string tensor_;
  const std::uint64_t first_;
  ThreadTeam team_{1};
};

std::vector<std::string> matrices_of(const model::Network& network) {
  std::vector<std::string> names;
  for (const std::uint64_t layer : {std::uint64_t{1}, network.layers()}) {
    for (const auto& together : network.inputs_of(layer)) {
      for (const model::Input& input : together) {
        for (const std::string& name : input.tensors) {
          if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        }
      }
    }
  }
  return names;
}

TEST(Product, OfSomeTokensIsThatOfAnotherModel) {
  const auto all = testing_support::all_random_families();
  for (const char* name :
       {"llama", "qwen2moe", "qwen3moe", "qwen3next", "qwen35", "deepseek2-v3"}) {
    const auto family =
        std::ranges::find(all, std::string(name), &testing_support::RandomFamily::name);
    ASSERT_NE(family, all.end()) << name;
    GgufWeights weights(family->build());
    const model::Network network = model::Network::of(weights.header(), "model");
    model::Tokens tokens = random_tokens(1, 12);
    const std::vector<float> own = run(network, weights, tokens);
    const auto once = tokens.ids;
    tokens.ids.insert(tokens.ids.end(), once.begin(), once.end());
    for (const std::string& tensor : matrices_of(network)) {
      OtherModel other(weights, tensor);
      const std::vector<float> of_other = run(network, other, random_tokens(1, 12));
      EXPECT_NE(own, of_other) << name << " does not show " << tensor;
      Changes changes(tensor, once.size());
      std::vector<float> expected = own;
      expected.insert(expected.end(), of_other.begin(), of_other.end());
      EXPECT_EQ(run(network, weights, tokens,
                    {.memory = network.least_memory(tokens, 1), .watcher = &changes}),
                expected)
          << name << ' ' << tensor;
      EXPECT_GT(changes.changed, 0u) << name << ' ' << tensor;
    }
  }
}

}  // namespace
}  // namespace sluice::model_tests
