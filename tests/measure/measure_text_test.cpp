// What running a model in variants finds is what running other models finds, each with one tensor, a kind of
// tensors or all of them encoded beforehand, and the numbers do not depend on how it is run.

#include "measure/measure_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "measure/opened_model.h"
#include "model/network.h"
#include "sluice/error.h"
#include "support/gguf_weights.h"
#include "support/random_families.h"
#include "support/thread_team.h"

namespace sluice::measure {
namespace {

using testing_support::GgufWeights;
using testing_support::TempFolder;
namespace families = testing_support::random_families;

constexpr std::size_t kLength = 16;
/// The type that tensors are run with, as far as their rows are whole blocks.
TensorType type_for(std::uint64_t columns) {
  return columns % 32 == 0 ? TensorType::q4_0 : TensorType::bf16;
}

/// A matrix that was encoded and decoded.
class Recoded final : public linear::Rows {
 public:
  explicit Recoded(const linear::Rows& of) : rows_(of.rows()), columns_(of.columns()) {
    numbers_.resize(rows_ * columns_);
    of.decode(0, rows_, numbers_.data());
    const TensorType type = type_for(columns_);
    std::vector<std::byte> blocks(byte_size(type, numbers_.size()));
    const Codec& codec = *find_codec(type);
    codec.encode(
        {.values = numbers_.data(), .rows = rows_, .row_elements = columns_, .importance = nullptr},
        blocks.data());
    codec.decode(blocks.data(), numbers_.data(), numbers_.size());
  }

  std::size_t rows() const override { return rows_; }
  std::size_t columns() const override { return columns_; }
  void decode(std::size_t first, std::size_t count, float* out) const override {
    std::copy_n(numbers_.data() + first * columns_, count * columns_, out);
  }

 private:
  std::size_t rows_;
  std::size_t columns_;
  std::vector<float> numbers_;
};

/// A model in which some tensors are encoded.
class EncodedModel final : public model::WeightStore {
 public:
  EncodedModel(GgufWeights& weights, std::set<std::string> tensors)
      : weights_(weights), tensors_(std::move(tensors)) {}

  std::shared_ptr<const linear::Rows> matrix(std::string_view tensor,
                                             std::uint64_t number) override {
    auto rows = weights_.matrix(tensor, number);
    if (!tensors_.contains(std::string(tensor))) return rows;
    return std::make_shared<Recoded>(*rows);
  }
  std::vector<float> numbers(std::string_view tensor) override { return weights_.numbers(tensor); }
  bool has(std::string_view tensor) const override { return weights_.has(tensor); }

 private:
  GgufWeights& weights_;
  const std::set<std::string> tensors_;
};

/// Notes what matrices are multiplied by.
class Inputs final : public model::Watcher {
 public:
  bool wants(const model::Input&) override { return true; }
  void see(const model::Input& input, const linear::ConstMatrix& x) override {
    for (const std::string& tensor : input.tensors) {
      auto& rows = of_[{tensor, input.number}];
      for (std::size_t t = 0; t < x.rows; ++t) rows.emplace_back(x.row(t), x.row(t) + x.columns);
    }
  }
  void finished(const model::Input&) override {}

  std::map<std::pair<std::string, std::uint64_t>, std::vector<std::vector<float>>> of_;
};

/// A random model, measured.
class TextModel {
 public:
  explicit TextModel(testing_support::Bytes bytes)
      : model_(folder_ / "model.gguf", bytes),
        weights_(std::move(bytes)),
        network_(model::Network::of(weights_.header(), "model")) {
    text_.sequence_length = kLength;
    for (std::size_t i = 0; i < 4 * kLength; ++i) {
      text_.ids.push_back(static_cast<std::int32_t>((i * 37 + i * i * 11) % 280));
    }
  }

  Request request(const std::vector<TensorType>& types = {TensorType::q4_0,
                                                          TensorType::q5_0}) const {
    Request request = request_for(model_.source(), types);
    request.file = folder_ / "measurements";
    return request;
  }
  Measurements measure(const Request& request, Observer& observer, bool calibrated = false) const {
    return measure_text({request, network_, text_, calibrated, folder_ / "state"}, observer);
  }
  Measurements measure() const {
    Request unkept = request();
    unkept.file.clear();
    Silent silent;
    return measure(unkept, silent);
  }

  using Stream = std::vector<float>;

  linear::Matrix matrix_of(Stream& numbers) const {
    return {numbers.data(), text_.ids.size(), network_.width(), network_.width()};
  }
  Stream embedded(model::WeightStore& store) {
    Stream stream(text_.ids.size() * network_.width());
    network_.embed(text_, store, matrix_of(stream), {}, team_);
    return stream;
  }
  Stream after(std::uint64_t layer, model::WeightStore& store, Stream stream,
               model::Watcher* watcher = nullptr) {
    network_.run_layer(layer, text_, store, matrix_of(stream), watcher, {}, team_);
    return stream;
  }
  /// Mean divergence over second halves of sequences.
  double divergence(const std::set<std::string>& tensors) {
    EncodedModel other(weights_, tensors);
    const std::vector<double> p = probabilities(weights_);
    const std::vector<double> q = probabilities(other);
    const std::size_t n = network_.vocabulary();
    double sum = 0;
    std::size_t counted = 0;
    for (std::size_t t = 0; t < text_.ids.size(); ++t) {
      if (t % kLength < kLength / 2) continue;
      ++counted;
      for (std::size_t i = t * n; i < (t + 1) * n; ++i) sum += p[i] * std::log(p[i] / q[i]);
    }
    return sum / static_cast<double>(counted);
  }

  const TempFolder folder_;
  const OpenedModel model_;
  GgufWeights weights_;
  const model::Network network_;
  model::Tokens text_;

 private:
  std::vector<double> probabilities(model::WeightStore& store) {
    Stream stream = embedded(store);
    for (std::uint64_t i = 0; i < network_.layers(); ++i) stream = after(i, store, stream);
    const std::size_t n = network_.vocabulary();
    std::vector<float> logits(text_.ids.size() * n);
    network_.run_output(matrix_of(stream), store, {logits.data(), text_.ids.size(), n, n}, nullptr,
                        {}, team_);
    std::vector<double> shares(logits.begin(), logits.end());
    for (std::size_t t = 0; t < text_.ids.size(); ++t) {
      double sum = 0;
      for (std::size_t i = t * n; i < (t + 1) * n; ++i) sum += shares[i] = std::exp(shares[i]);
      for (std::size_t i = t * n; i < (t + 1) * n; ++i) shares[i] /= sum;
    }
    return shares;
  }

  ThreadTeam team_;
};

// Mean over tokens of |x' - x|^2 / |x|^2.
double change(const TextModel::Stream& own, const TextModel::Stream& other, std::size_t tokens) {
  const std::size_t width = own.size() / tokens;
  double sum = 0;
  for (std::size_t t = 0; t < tokens; ++t) {
    double by = 0;
    double size = 0;
    for (std::size_t i = t * width; i < (t + 1) * width; ++i) {
      by += std::pow(static_cast<double>(other[i]) - static_cast<double>(own[i]), 2);
      size += std::pow(static_cast<double>(own[i]), 2);
    }
    sum += by / size;
  }
  return sum / static_cast<double>(tokens);
}

std::string kind_of(const std::string& tensor) {
  return tensor.starts_with("blk.") ? tensor.substr(tensor.find('.', 4)) : tensor;
}

class MeasuredText : public testing::TestWithParam<bool> {
 protected:
  TextModel model_{GetParam() ? families::qwen2moe() : families::llama()};
  const Measurements found_ = model_.measure();
};

TEST_P(MeasuredText, ChangesTheStreamAsAModelDoesWithThatTensorEncoded) {
  TextModel::Stream before = model_.embedded(model_.weights_);
  EncodedModel with_embedding(model_.weights_, {"token_embd.weight"});
  const TextModel::Stream other = model_.after(0, model_.weights_, model_.embedded(with_embedding));
  const std::size_t tokens = model_.text_.ids.size();
  for (std::uint64_t layer = 0; layer < model_.network_.layers(); ++layer) {
    const TextModel::Stream own = model_.after(layer, model_.weights_, before);
    if (layer == 0) {
      const double expected = change(own, other, tokens);
      EXPECT_NEAR(found_.tensors.at("token_embd.weight").change, expected, 1e-9 * expected);
    }
    for (const auto& together : model_.network_.inputs_of(layer)) {
      for (const model::Input& input : together) {
        for (const std::string& tensor : input.tensors) {
          if (!found_.tensors.contains(tensor)) continue;  // a single row is no matrix
          EncodedModel encoded(model_.weights_, {tensor});
          const double expected = change(own, model_.after(layer, encoded, before), tokens);
          EXPECT_GT(expected, 0);
          EXPECT_NEAR(found_.tensors.at(tensor).change, expected, 1e-9 * expected) << tensor;
        }
      }
    }
    before = own;
  }
}

TEST_P(MeasuredText, HasTheErrorsOfWhatMatricesGive) {
  Inputs inputs;
  TextModel::Stream stream = model_.embedded(model_.weights_);
  for (std::uint64_t i = 0; i < model_.network_.layers(); ++i) {
    stream = model_.after(i, model_.weights_, stream, &inputs);
  }
  std::map<std::string, double> errors;
  for (const auto& [matrix, rows] : inputs.of_) {
    if (!found_.tensors.contains(matrix.first)) continue;
    const auto own = model_.weights_.matrix(matrix.first, matrix.second);
    const Recoded other(*own);
    const std::size_t n = own->columns();
    std::vector<float> w(own->rows() * n);
    std::vector<float> q(w.size());
    own->decode(0, own->rows(), w.data());
    other.decode(0, own->rows(), q.data());
    for (const std::vector<float>& x : rows) {
      for (std::size_t r = 0; r < own->rows(); ++r) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
          sum += (static_cast<double>(w[r * n + i]) - static_cast<double>(q[r * n + i])) *
                 static_cast<double>(x[i]);
        }
        errors[matrix.first] += sum * sum / static_cast<double>(model_.text_.ids.size());
      }
    }
  }
  ASSERT_FALSE(errors.empty());
  for (const auto& [tensor, error] : errors) {
    const std::size_t columns = model_.weights_.matrix(tensor, 0)->columns();
    EXPECT_NEAR(found_.tensors.at(tensor).errors.at(type_for(columns)) / error, 1, 1e-4) << tensor;
  }
}

// Kinds' divergences are foretold in their proportions, and that of all of them as it is.
TEST_P(MeasuredText, ForetellsTheDivergencesOfModelsThatAreEncoded) {
  std::map<std::string, std::set<std::string>> kinds;
  std::map<std::string, double> foretold;
  std::set<std::string> all;
  double of_all = 0;
  for (const auto& [tensor, measures] : found_.tensors) {
    if (tensor == "output.weight") continue;
    all.insert(tensor);
    kinds[kind_of(tensor)].insert(tensor);
    const std::size_t columns = model_.weights_.matrix(tensor, 0)->columns();
    const double divergence = found_.divergence(tensor, type_for(columns)).value();
    foretold[kind_of(tensor)] += divergence;
    of_all += divergence;
  }
  EXPECT_NEAR(of_all / model_.divergence(all), 1, 1e-3);
  const double output = model_.divergence({"output.weight"});
  EXPECT_NEAR(found_.divergence("output.weight", TensorType::q4_0).value() / output, 1, 1e-3);
  const double scale =
      foretold["token_embd.weight"] / model_.divergence(kinds["token_embd.weight"]);
  for (const auto& [kind, tensors] : kinds) {
    // Of what BF16 changes, the rounding of logits is seen.
    EXPECT_NEAR(foretold[kind] / model_.divergence(tensors) / scale, 1, 5e-3) << kind;
  }
}

INSTANTIATE_TEST_SUITE_P(Measure, MeasuredText, testing::Bool());

TEST(MeasureText, HasTheSameNumbersWhateverThreadsMemoryAndInstructionSet) {
  const TextModel model(families::qwen3moe());
  Request request = model.request();
  request.file.clear();
  request.memory = 2 * kMemory;
  for (const bool calibrated : {false, true}) {
    Silent silent;
    const Measurements expected = model.measure(request, silent, calibrated);
    for (const Isa isa : supported_isas()) {
      Request other = request;
      other.settings.isa = isa;
      other.settings.threads = 3;
      other.memory = 4 * kMemory;
      expect_same(expected, model.measure(other, silent, calibrated));
    }
  }
}

/// Stops when so much is done.
class Stopper final : public Observer {
 public:
  explicit Stopper(double share) : share_(share) {}
  void progress(const Progress& progress) override {
    first = std::min(first, share_done(progress));
    if (share_done(progress) >= share_) stop = true;
  }

  std::atomic<bool> stop = false;
  double first = 1;

 private:
  const double share_;
};

TEST(MeasureText, GoesOnAtTheLayerWhereItWasCutOff) {
  const TextModel model(families::llama());
  Request request = model.request();
  Stopper stopper(0.5);
  request.settings.stop = &stopper.stop;
  EXPECT_THROW(model.measure(request, stopper), Error);
  Stopper on(2);
  request.settings.stop = &on.stop;
  const Measurements found = model.measure(request, on);
  EXPECT_GT(on.first, 0.3);
  EXPECT_FALSE(std::filesystem::exists(model.folder_ / "state"));
  expect_same(model.measure(), found);
  // All is known then.
  Stopper again(0);
  request.settings.stop = &again.stop;
  expect_same(found, model.measure(request, again));
  EXPECT_EQ(again.first, 1);
  // A state without measurements is not gone on with.
  std::filesystem::remove(request.file);
  Stopper once_more(0.5);
  request.settings.stop = &once_more.stop;
  EXPECT_THROW(model.measure(request, once_more), Error);
  std::filesystem::remove(request.file);
  Stopper last(2);
  request.settings.stop = &last.stop;
  expect_same(found, model.measure(request, last));
}

TEST(MeasureText, NamesTheLeastMemory) {
  const TextModel model(families::llama());
  Request request = model.request();
  request.memory = 1 << 20;
  Silent silent;
  try {
    model.measure(request, silent);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
    EXPECT_NE(std::string(error.what()).find("the least is"), std::string::npos) << error.what();
  }
}

// What a type is prepared with stays, so it counts too.
TEST(MeasureText, CountsWhatATypeIsPreparedWith) {
  const TextModel model(families::llama());
  const auto least = [&](const std::vector<TensorType>& more) {
    return least_mib(model.request(), more, [&](const Request& small) {
      Silent silent;
      model.measure(small, silent);
    });
  };
  const std::uint64_t prepared = prepared_bytes(TensorType::iq4_kt) >> 20;
  EXPECT_GE(least({TensorType::iq4_kt}), least({}) + prepared);
}

}  // namespace
}  // namespace sluice::measure
