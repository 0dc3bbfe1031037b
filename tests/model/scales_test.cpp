// Models whose matrices have a factor of their own beside them, NAME.scale beside NAME.weight, as
// checkpoints in NVFP4: the same bits as with the factor in the weights, where that is a power of two.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/runs.h"

namespace sluice::model_tests {
namespace {

using testing_support::Bytes;
using testing_support::GgufWeights;
using testing_support::RandomFamily;

constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kScale = ".scale";

float scale_of(std::string_view tensor, std::uint64_t number) {
  return (tensor.size() + number) % 2 == 0 ? 0.125f : 4.0f;
}

/// The numbers of a matrix over a power of two.
class Divided final : public linear::Rows {
 public:
  Divided(std::shared_ptr<const linear::Rows> of, float by) : of_(std::move(of)), by_(by) {}
  std::size_t rows() const override { return of_->rows(); }
  std::size_t columns() const override { return of_->columns(); }
  void decode(std::size_t first, std::size_t count, float* out) const override {
    of_->decode(first, count, out);
    std::for_each_n(out, count * columns(), [&](float& weight) { weight /= by_; });
  }

 private:
  std::shared_ptr<const linear::Rows> of_;
  float by_;
};

/// The same model with a factor beside each matrix, that of the embedding without.
class Factored final : public model::WeightStore {
 public:
  explicit Factored(const Bytes& file) : plain_(file), header_(plain_.header()) {
    for (const gguf::Tensor& tensor : plain_.header().tensors) {
      if (tensor.shape.size() < 2 || !tensor.name.ends_with(kWeight)) continue;
      if (tensor.name.starts_with("token_embd")) continue;
      gguf::Tensor scale;
      scale.name = name_of_scale(tensor.name);
      scale.shape = {tensor.shape.size() < 3 ? 1 : tensor.shape[2]};
      scale.type = TensorType::f32;
      header_.tensors.push_back(scale);
    }
  }

  const gguf::Header& header() const { return header_; }

  std::shared_ptr<const linear::Rows> matrix(std::string_view name, std::uint64_t number) override {
    auto rows = plain_.matrix(name, number);
    if (!find(name_of_scale(name))) return rows;
    return std::make_shared<Divided>(std::move(rows), scale_of(name_of_scale(name), number));
  }
  std::vector<float> numbers(std::string_view name) override {
    if (!name.ends_with(kScale)) return plain_.numbers(name);
    read_.emplace(name);
    std::vector<float> all(find(name)->shape[0]);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = scale_of(name, i);
    return all;
  }
  bool has(std::string_view name) const override { return find(name) != nullptr; }
  const std::set<std::string>& read() const { return read_; }

 private:
  static std::string name_of_scale(std::string_view weight) {
    return std::string(weight.substr(0, weight.size() - std::min(weight.size(), kWeight.size()))) +
           std::string(kScale);
  }
  const gguf::Tensor* find(std::string_view name) const {
    const auto at = std::ranges::find(header_.tensors, name, &gguf::Tensor::name);
    return at == header_.tensors.end() ? nullptr : &*at;
  }

  GgufWeights plain_;
  gguf::Header header_;
  std::set<std::string> read_;
};

class Scales : public testing::TestWithParam<RandomFamily> {};

TEST_P(Scales, MultiplyWhatMatricesGive) {
  const Bytes file = GetParam().build();
  const model::Tokens tokens = random_tokens(1, 40);
  GgufWeights plain(file);
  Factored factored(file);
  const model::Network network = model::Network::of(factored.header(), "model");
  EXPECT_EQ(run(network, factored, tokens),
            run(model::Network::of(plain.header(), "model"), plain, tokens));
  std::set<std::string> announced;  // for what is read a layer at a time
  for (std::uint64_t layer = 0; layer < network.layers(); ++layer) {
    for (const std::string& name : network.tensors_of(layer)) {
      if (name.ends_with(kScale)) announced.insert(name);
    }
  }
  EXPECT_GE(announced.size(), network.layers() * 4);
  if (factored.has("output.scale")) announced.insert("output.scale");
  EXPECT_EQ(factored.read(), announced);
}

INSTANTIATE_TEST_SUITE_P(Families, Scales,
                         testing::ValuesIn(testing_support::all_random_families()), name_of_family);

}  // namespace
}  // namespace sluice::model_tests
