// What is reckoned without running a model, beside what happens to the stream when it is run with a
// matrix that is off. The models are random, so that columns of inputs are as uncorrelated as reckoning
// takes them to be.

#include "measure/gains.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "base/serial_team.h"
#include "model/runs.h"

namespace sluice::measure {
namespace {

using testing_support::GgufWeights;
namespace families = testing_support::random_families;

constexpr double kNoise = 0.03;  // of a weight, relative to its matrix's

/// Mean squares of what each matrix is multiplied by, and how many tokens it saw.
class MeanSquares : public model::Watcher {
 public:
  struct Sums {
    std::vector<double> squares;
    double tokens = 0;
  };
  bool wants(const model::Input&) override { return true; }
  void see(const model::Input& input, const linear::ConstMatrix& x) override {
    for (const std::string& tensor : input.tensors) {
      Sums& sums = of[{tensor, input.number}];
      sums.squares.resize(x.columns);
      sums.tokens += static_cast<double>(x.rows);
      for (std::size_t t = 0; t < x.rows; ++t) {
        for (std::size_t j = 0; j < x.columns; ++j) {
          sums.squares[j] += static_cast<double>(x.row(t)[j]) * x.row(t)[j];
        }
      }
    }
  }
  void finished(const model::Input&) override {}

  std::map<std::pair<std::string, std::uint64_t>, Sums> of;
};

/// Weights, one tensor's with noise.
class Noisy : public model::WeightStore {
 public:
  explicit Noisy(const testing_support::Bytes& file) : weights_(file) {}

  std::string tensor;  ///< that is off

  std::shared_ptr<const linear::Rows> matrix(std::string_view name, std::uint64_t number) override {
    auto rows = weights_.matrix(name, number);
    if (name != tensor) return rows;
    return std::make_shared<NoisyRows>(std::move(rows), static_cast<unsigned>(number));
  }
  std::vector<float> numbers(std::string_view name) override { return weights_.numbers(name); }
  bool has(std::string_view name) const override { return weights_.has(name); }
  const gguf::Header& header() const { return weights_.header(); }

 private:
  class NoisyRows : public linear::Rows {
   public:
    NoisyRows(std::shared_ptr<const linear::Rows> rows, unsigned seed)
        : rows_(std::move(rows)), values_(rows_->rows() * rows_->columns()) {
      rows_->decode(0, rows_->rows(), values_.data());
      double power = 0;
      for (const float value : values_) power += static_cast<double>(value) * value;
      std::mt19937 random(seed);
      std::normal_distribution<float> noise(
          0, static_cast<float>(kNoise * std::sqrt(power / static_cast<double>(values_.size()))));
      for (float& value : values_) value += noise(random);
    }
    std::size_t rows() const override { return rows_->rows(); }
    std::size_t columns() const override { return rows_->columns(); }
    void decode(std::size_t first, std::size_t count, float* out) const override {
      std::copy_n(values_.data() + first * columns(), count * columns(), out);
    }

   private:
    std::shared_ptr<const linear::Rows> rows_;
    std::vector<float> values_;
  };

  GgufWeights weights_;
};

class Gains : public testing::TestWithParam<testing_support::Bytes (*)()> {
 protected:
  Noisy weights_{GetParam()()};
  const model::Network network_ = model::Network::of(weights_.header(), "model");
  const model::Tokens tokens_ = model_tests::random_tokens(2, 48);
  MeanSquares squares_;
  SerialTeam team_;

  linear::Matrix matrix_of(std::vector<float>& numbers) const {
    return {numbers.data(), tokens_.ids.size(), network_.width(), network_.width()};
  }

  std::vector<float> embedded() {
    std::vector<float> stream(tokens_.ids.size() * network_.width());
    network_.embed(tokens_, weights_, matrix_of(stream), {}, team_);
    return stream;
  }

  std::vector<float> after(std::uint64_t layer, std::vector<float> stream,
                           model::Watcher* watcher = nullptr) {
    network_.run_layer(layer, tokens_, weights_, matrix_of(stream), watcher, {}, team_);
    return stream;
  }

  /// Power under the inputs that were seen; the noise's is a known part of it.
  double power_of(const gguf::Tensor& tensor) {
    const std::uint64_t matrices = tensor.elements() / tensor.row_elements() / tensor.shape[1];
    const bool experts = has_experts(stem_of(tensor.name));
    double all = 0;
    for (std::uint64_t i = 0; i < matrices; ++i) all += squares_.of[{tensor.name, i}].tokens;
    double power = 0;
    for (std::uint64_t i = 0; i < matrices; ++i) {
      const MeanSquares::Sums& sums = squares_.of[{tensor.name, i}];
      const auto rows = weights_.matrix(tensor.name, i);
      std::vector<float> values(rows->rows() * rows->columns());
      rows->decode(0, rows->rows(), values.data());
      const double share = experts ? experts_weight(weights_.header()) * sums.tokens / all : 1.0;
      for (std::size_t k = 0; k < values.size() && sums.tokens > 0; ++k) {
        power += share * values[k] * values[k] * sums.squares[k % rows->columns()] / sums.tokens;
      }
    }
    return power;
  }

  /// \param known  whether what comes into the matrices that write is known, or else likely
  Measurements reckoned(bool known = true) {
    Measurements measurements;
    for (const gguf::Tensor& tensor : weights_.header().tensors) {
      if (!is_measured(tensor)) continue;
      TensorMeasures& measures = measurements.tensors[tensor.name];
      if (tensor.name != "token_embd.weight" && (known || !is_likely(tensor.name))) {
        measures.power = power_of(tensor);
        continue;
      }
      for (const float value : weights_.numbers(tensor.name)) {
        measures.power += static_cast<double>(value) * value;
      }
    }
    const Numbers norms = [this](const std::string& name) {
      return weights_.has(name) ? weights_.numbers(name) : std::vector<float>();
    };
    for (auto& [name, measures] : measurements.tensors) measures.typical_power = measures.power;
    add_gains({weights_.header(), norms,
               [&](const std::string& name) { return known || !is_likely(name); }},
              measurements);
    return measurements;
  }

  static bool is_likely(const std::string& tensor) {
    return writes(stem_of(tensor)) && !has_experts(stem_of(tensor));
  }
};

TEST_P(Gains, AreWhatTheStreamChangesBy) {
  std::vector<std::vector<float>> truth = {embedded()};
  for (std::uint64_t layer = 0; layer < network_.layers(); ++layer) {
    truth.push_back(after(layer, truth.back(), &squares_));
  }
  const Measurements measurements = reckoned();
  const bool routed = weights_.has("blk.0.ffn_gate_inp.weight");
  const bool linear = weights_.has("blk.0.ssm_out.weight");
  for (const auto& [name, measures] : measurements.tensors) {
    const std::string part = part_of(stem_of(name));
    // Where a change sends tokens to other experts, a random model's give something else altogether.
    if (name == "output.weight" || (routed && (part != "ffn_exps" || !writes(stem_of(name))))) {
      continue;
    }
    if (name.ends_with("ssm_conv1d.weight")) continue;  // no matrix that is multiplied by
    weights_.tensor = name;
    const bool embedding = name == "token_embd.weight";
    const std::uint64_t layer = embedding ? 0 : std::stoul(name.substr(name.find('.') + 1));
    const std::vector<float> off = after(layer, embedding ? embedded() : truth[layer]);
    double change = 0;
    double stream = 0;
    for (std::size_t i = 0; i < off.size(); ++i) {
      const double x = truth[layer + 1][i];
      change += (off[i] - x) * (off[i] - x);
      stream += x * x;
    }
    const double ratio = change / stream / (measures.gain * measures.power * kNoise * kNoise);
    // Scores of attention spread as they will; the embedding is what all of a layer reads.
    const bool rough =
        embedding || name.find("attn_q") != name.npos || name.find("attn_k") != name.npos;
    // Linear attention's rates go through a sigmoid, or decide only how soon states fade; of the
    // embedding, queries, keys, values and gates are made there, whose products are what heads give.
    const bool rate = name.ends_with("ssm_alpha.weight") || name.ends_with("ssm_beta.weight");
    EXPECT_GT(ratio, rate ? 0.03 : rough ? 0.2 : 0.7) << name;
    EXPECT_LT(ratio, linear && embedding ? 8 : rough ? 5 : 1.5) << name;
  }
}

// Values of attention are taken for what it gives, which is less where tokens are mixed, and less again
// where gates weigh it.
TEST_P(Gains, AreNearThoseWhereWhatComesIntoWritersIsOnlyLikely) {
  std::vector<float> stream = embedded();
  for (std::uint64_t layer = 0; layer < network_.layers(); ++layer) {
    stream = after(layer, stream, &squares_);
  }
  const Measurements truth = reckoned();
  const Measurements likely = reckoned(false);
  for (const auto& [name, measures] : truth.tensors) {
    if (!is_likely(name)) continue;
    const TensorMeasures& other = likely.tensors.at(name);
    const double ratio = other.gain * other.power / (measures.gain * measures.power);
    EXPECT_GT(ratio, 0.8) << name;
    EXPECT_LT(ratio, name.ends_with("attn_output.weight") ? 20 : 1.25) << name;
  }
}

/// Two layers of linear attention, and one of attention with gates.
testing_support::Bytes hybrid() {
  return testing_support::RandomHybrid{
      .architecture = "qwen35", .experts = false, .interval = 3, .layers = 3}
      .build();
}

INSTANTIATE_TEST_SUITE_P(Measure, Gains,
                         testing::Values(families::llama, families::gemma2, families::mixtral,
                                         hybrid));

}  // namespace
}  // namespace sluice::measure
