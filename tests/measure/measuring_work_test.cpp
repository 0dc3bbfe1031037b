// What is counted before measuring is what measuring does: products as they come when the model is run over all
// variants, rows and bytes as a run tells of them; and only what is not known yet.

#include "measure/measuring_work.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "measure/measure_text.h"
#include "measure/measure_weights.h"
#include "measure/opened_model.h"
#include "measure/text_subjects.h"
#include "measure/variant_tokens.h"
#include "model/network.h"
#include "support/gguf_weights.h"
#include "support/random_families.h"
#include "support/thread_team.h"

namespace sluice::measure {
namespace {

using testing_support::GgufWeights;
using testing_support::TempFolder;
namespace families = testing_support::random_families;

constexpr std::size_t kTogether = 16;  // tokens of a sequence
constexpr std::size_t kSequences = 72;
constexpr std::size_t kSample = 1024;  // tokens that variants have, of 1152

/// Counts products as they come.
class Counter final : public model::Watcher {
 public:
  bool wants(const model::Input&) override { return false; }
  void see(const model::Input&, const linear::ConstMatrix&) override {}
  void finished(const model::Input&) override {}
  void multiplied(const model::Product& product) override {
    const auto tokens = static_cast<double>(product.x.rows);
    const auto rows = static_cast<double>(product.weight.rows());
    const auto columns = static_cast<double>(product.weight.columns());
    operations += 2 * tokens * rows * columns;
    numbers += tokens * (rows + columns);
  }

  double operations = 0;
  double numbers = 0;
};

/// Stops a run in the second layer of two or three.
class StopsInTheMiddle final : public Observer {
 public:
  void progress(const Progress& progress) override {
    if (2 * progress.input_bytes_done > progress.input_bytes) stop = true;
  }
  std::atomic<bool> stop = false;
};

/// A random model and a text.
class MeasuringWorkTest : public testing::TestWithParam<bool> {
 protected:
  MeasuringWorkTest() {
    text_.sequence_length = kTogether;
    for (std::size_t i = 0; i < kSequences * kTogether; ++i) {
      text_.ids.push_back(static_cast<std::int32_t>((i * 37 + i * i * 11) % 280));
    }
    request_.file = folder_ / "measurements";
    request_.memory = 4 * kMemory;
  }

  TextRequest of_text(bool calibrated = false) const {
    return {request_, network_, text_, calibrated, folder_ / "state"};
  }

  /// Of each layer, and of logits last.
  std::vector<Counter> counted() {
    const TextSubjects subjects(of_text(), {});
    const VariantTokens tokens(text_, subjects.variants());
    const std::size_t width = network_.width();
    std::vector<float> stream(tokens.all().ids.size() * width);
    const linear::Matrix all{stream.data(), tokens.all().ids.size(), width, width};
    ThreadTeam team;
    const model::RunSettings settings{.isa = best_isa()};
    network_.embed(tokens.all(), weights_, all, settings, team);
    std::vector<Counter> counters(network_.layers() + 1);
    for (std::uint64_t i = 0; i < network_.layers(); ++i) {
      network_.run_layer(i, tokens.all(), weights_, all, &counters[i], settings, team);
    }
    // Second halves: of the sample the model's own, all variants' that run on, and the output's own; of the rest
    // the model's own and one.
    const std::size_t rest = text_.ids.size() - tokens.sample();
    const std::size_t logits = (tokens.sample() * (1 + subjects.run_on() + 1) + rest * 2) / 2;
    std::vector<float> out(logits * network_.vocabulary());
    network_.run_output({stream.data(), logits, width, width}, weights_,
                        {out.data(), logits, network_.vocabulary(), network_.vocabulary()},
                        &counters.back(), settings, team);
    return counters;
  }

  const testing_support::Bytes bytes_{GetParam() ? families::qwen2moe() : families::llama()};
  const TempFolder folder_;
  const OpenedModel model_{folder_ / "model.gguf", bytes_};
  GgufWeights weights_{bytes_};
  const model::Network network_{model::Network::of(weights_.header(), "model")};
  model::Tokens text_;
  Request request_ = request_for(model_.source(), {TensorType::q4_0, TensorType::q5_0});
};

TEST_P(MeasuringWorkTest, HasTheProductsOfAModelThatIsRun) {
  const MeasuringWork work = work_of(of_text());
  Counter sum;
  for (const Counter& counter : counted()) {
    sum.operations += counter.operations;
    sum.numbers += counter.numbers;
  }
  EXPECT_NEAR(work.forward.operations / sum.operations, 1, 1e-12);
  EXPECT_NEAR(work.forward.numbers / sum.numbers, 1, 1e-12);
}

// Rows of all matrices, as many as bench/notes/measuring.md says, and of the embedding those of tokens.
TEST_P(MeasuringWorkTest, HasWhatIsEncodedInAType) {
  double rows_sampled = 0;
  double embedded = 0;
  for (const Subject& subject : request_.subjects) {
    if (std::ranges::find(subject.types, TensorType::q5_0) == subject.types.end()) continue;
    const gguf::Tensor& tensor = model_.header().tensors[subject.tensor];
    const std::uint64_t matrices = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
    const std::uint64_t rows = tensor.shape[1];
    const auto columns = static_cast<double>(tensor.shape[0]);
    if (tensor.name == "token_embd.weight") {
      embedded += static_cast<double>(kSample) * columns;
    } else {
      const std::uint64_t sampled = std::min(rows, std::max<std::uint64_t>(64, 192 / matrices));
      rows_sampled += static_cast<double>(matrices * sampled) * columns;
    }
  }
  EXPECT_GT(rows_sampled, 0);
  EXPECT_EQ(work_of(of_text()).encoded.at(TensorType::q5_0), rows_sampled + embedded);
  EXPECT_EQ(work_of(of_text()).moments, 0);
  EXPECT_TRUE(work_of(of_text()).fed_back.empty());
}

// All of it, until a run is cut off: then what the layers that are left take, and the output.
TEST_P(MeasuringWorkTest, IsLessByTheLayersThatAreMeasured) {
  const MeasuringWork all = work_of(of_text());
  StopsInTheMiddle stopper;
  request_.settings.stop = &stopper.stop;
  EXPECT_THROW(measure_text(of_text(), stopper), Error);
  const std::vector<Counter> counters = counted();
  double left = 0;
  for (std::size_t i = 1; i < counters.size(); ++i) left += counters[i].operations;
  const MeasuringWork after = work_of(of_text());
  EXPECT_NEAR(after.forward.operations / left, 1, 1e-12);
  EXPECT_LT(after.read, all.read);
  EXPECT_LT(after.written, all.written);
  request_.settings.stop = nullptr;
  Silent silent;
  measure_text(of_text(), silent);
  EXPECT_TRUE(work_of(of_text()).none());
  for (Subject& subject : request_.subjects) {
    if (!subject.types.empty()) subject.types.push_back(TensorType::q8_0);
  }
  EXPECT_NEAR(work_of(of_text()).forward.operations / all.forward.operations, 1, 1e-12);
}

TEST_P(MeasuringWorkTest, WithoutATextHasTheRowsAndBytesThatARunReads) {
  const MeasuringWork work = work_of(request_);
  Silent told;
  measure_weights(request_, told);
  EXPECT_GT(work.read, 0);
  EXPECT_EQ(work.read, static_cast<double>(told.last.input_bytes_done));
  EXPECT_EQ(work.decoded.at(TensorType::f32), static_cast<double>(told.last.weights_done));
  EXPECT_EQ(work.forward.operations, 0);
  EXPECT_TRUE(work_of(request_).none());
}

// Types that are new are measured by themselves.
TEST_P(MeasuringWorkTest, WithoutATextHasNewTypesAlone) {
  Silent silent;
  measure_weights(request_, silent);
  for (Subject& subject : request_.subjects) {
    if (!subject.types.empty()) subject.types.push_back(TensorType::q8_0);
  }
  const MeasuringWork work = work_of(request_);
  EXPECT_EQ(work.encoded.size(), 1u);
  EXPECT_GT(work.encoded.at(TensorType::q8_0), 0);
}

INSTANTIATE_TEST_SUITE_P(Measure, MeasuringWorkTest, testing::Bool());

}  // namespace
}  // namespace sluice::measure
