// Errors of sampled rows are those that the whole tensor has, encoded and summed up plainly; and what a run
// of measuring leaves, takes up and refuses.

#include "measure/measure_weights.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <optional>
#include <random>

#include "checkpoint/evaluate.h"
#include "io/mapped_source.h"
#include "measure/opened_model.h"
#include "sluice/error.h"
#include "support/gguf_builder.h"
#include "support/random_families.h"
#include "support/temp_folder.h"

namespace sluice::measure {
namespace {

using testing_support::bytes_of;
using testing_support::GgufBuilder;
using testing_support::TempFolder;

/// Sum over rows of s_j (w_j - q_j)^2, and of s_j w_j^2.
struct Truth {
  double error = 0;
  double power = 0;
};

Truth truth_of(const std::vector<float>& weights, TensorType type,
               const std::vector<float>& squares, const float* importance = nullptr) {
  const Codec& codec = *find_codec(type);
  std::vector<std::byte> blocks(byte_size(type, weights.size()));
  codec.encode({.values = weights.data(),
                .rows = weights.size() / squares.size(),
                .row_elements = squares.size(),
                .importance = importance},
               blocks.data());
  std::vector<float> decoded(weights.size());
  codec.decode(blocks.data(), decoded.data(), decoded.size());
  Truth truth;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double s = squares[i % squares.size()];
    const double w = weights[i];
    truth.error += s * (w - decoded[i]) * (w - decoded[i]);
    truth.power += s * w * w;
  }
  return truth;
}

// Without an importance matrix: what comes out of no norm counts alike, and what does by its norm.
std::vector<float> squares_of(const gguf::Tensor& tensor, const checkpoint::Model& model,
                              const checkpoint::Evaluator& evaluator) {
  const auto named = [&](const char* part) { return tensor.name.find(part) != tensor.name.npos; };
  if (!tensor.name.ends_with(".weight") || named("_inp")) return {};
  if (named("ffn_down") || named("attn_output")) {
    return std::vector<float>(tensor.row_elements(), 1);
  }
  if (!named("ffn_gate") && !named("ffn_up")) return {};
  const std::string norm = tensor.name.substr(0, tensor.name.find("ffn_")) + "ffn_norm.weight";
  for (std::size_t i = 0; i < model.header.tensors.size(); ++i) {
    if (model.header.tensors[i].name != norm) continue;
    std::vector<float> squares = evaluator.weights(model.weights.sources[i]);
    for (float& square : squares) square *= square;
    return squares;
  }
  return {};
}

/// Checkpoints, of which some have matrices that lie across, scales that lie elsewhere, split experts.
class MeasuredCheckpoint : public testing::TestWithParam<const char*> {};

TEST_P(MeasuredCheckpoint, HasTheErrorsOfAllItsRows) {
  const checkpoint::Fixture fixture{GetParam()};
  const checkpoint::Model model = checkpoint::read_checkpoint(fixture.folder, {});
  std::vector<io::File> files;
  for (const auto& part : fixture.folder.parts) {
    files.push_back(io::File::open_input(fixture.folder.file(part.file)));
  }
  Silent observer;
  const Measurements found =
      measure_weights(request_for({model.header, model.weights, io::pointers_to(files)},
                                  {TensorType::q4_0, TensorType::q8_0}),
                      observer);
  const checkpoint::Evaluator evaluator(fixture, model);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < model.header.tensors.size(); ++i) {
    const gguf::Tensor& tensor = model.header.tensors[i];
    const std::vector<float> squares = squares_of(tensor, model, evaluator);
    if (squares.empty() || tensor.row_elements() % 32 != 0) continue;
    const TensorMeasures& measures = found.tensors.at(tensor.name);
    for (const TensorType type : {TensorType::q4_0, TensorType::q8_0}) {
      const Truth truth = truth_of(evaluator.weights(model.weights.sources[i]), type, squares);
      // Experts share what they write: only ratios are the same for all.
      EXPECT_NEAR(measures.errors.at(type) / measures.power, truth.error / truth.power,
                  1e-9 * truth.error / truth.power)
          << tensor.name;
    }
    ++compared;
  }
  EXPECT_GT(compared, 0u);
  EXPECT_EQ(observer.last.input_bytes_done, observer.last.input_bytes);
}

INSTANTIATE_TEST_SUITE_P(Measure, MeasuredCheckpoint,
                         testing::Values("gpt_oss", "llama4_scout", "deepseek_v3_fp8", "mixtral"));

/// A small model of which all rows are looked at, and what is kept of it.
class MeasuredModel : public testing::Test {
 protected:
  const TempFolder folder_;
  const OpenedModel model_{folder_ / "model.gguf", testing_support::random_families::llama()};
  const std::string file_ = folder_ / "measurements";
  Silent observer_;

  Request request(const std::vector<TensorType>& types) const {
    Request request = request_for(model_.source(), types);
    request.file = file_;
    return request;
  }
};

TEST_F(MeasuredModel, HasTheSameNumbersWhateverThreadsMemoryAndInstructionSet) {
  Request request = request_for(model_.source(), {TensorType::q4_0, TensorType::q5_1});
  const Measurements expected = measure_weights(request, observer_);
  for (const Isa isa : supported_isas()) {
    for (const int threads : {1, 3}) {
      request.settings.isa = isa;
      request.settings.threads = threads;
      request.memory = std::uint64_t{20} << 20;
      expect_same(expected, measure_weights(request, observer_));
    }
  }
}

TEST_F(MeasuredModel, IsNotMeasuredAgainButForTypesThatAreNew) {
  const Measurements first = measure_weights(request({TensorType::q4_0}), observer_);
  const std::uint64_t all = std::exchange(observer_.last, {}).input_bytes;
  expect_same(first, measure_weights(request({TensorType::q4_0}), observer_));
  EXPECT_EQ(observer_.last.input_bytes, 0u);
  const std::vector<TensorType> both = {TensorType::q4_0, TensorType::q8_0};
  const Measurements more = measure_weights(request(both), observer_);
  EXPECT_GT(observer_.last.input_bytes, 0u);
  EXPECT_LE(observer_.last.input_bytes, all);
  expect_same(more, measure_weights(request_for(model_.source(), both), observer_));
  Request other = request(both);
  other.inputs = 1;
  observer_.last = {};
  measure_weights(other, observer_);
  EXPECT_EQ(observer_.last.input_bytes, all);
}

TEST_F(MeasuredModel, StopsWhenItIsToldTo) {
  std::atomic<bool> stop = true;
  Request stopped = request({TensorType::q4_0});
  stopped.settings.stop = &stop;
  try {
    measure_weights(stopped, observer_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
}

TEST_F(MeasuredModel, NeedsSomeMemoryAndSaysHowMuch) {
  Request small = request({TensorType::q4_0});
  small.memory = 1 << 20;
  try {
    measure_weights(small, observer_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
    EXPECT_NE(std::string(error.what()).find("MiB"), std::string::npos) << error.what();
  }
}

// What a type is prepared with stays, so it counts too.
TEST_F(MeasuredModel, CountsWhatATypeIsPreparedWith) {
  const auto least = [&](const std::vector<TensorType>& more) {
    return least_mib(request({TensorType::q4_0}), more,
                     [&](const Request& small) { measure_weights(small, observer_); });
  };
  const std::uint64_t prepared = prepared_bytes(TensorType::iq4_kt) >> 20;
  EXPECT_GT(prepared, 0u);
  EXPECT_GE(least({TensorType::iq4_kt}), least({}) + prepared);
}

std::vector<float> random_numbers(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(MeasureWeights, NameTheTensorThatHoldsNaN) {
  std::vector<float> values = random_numbers(64 * 8);
  values[64 * 3 + 5] = std::nanf("");
  const TempFolder folder;
  const OpenedModel model(folder / "model.gguf",
                          GgufBuilder()
                              .string("general.architecture", "llama")
                              .tensor("blk.0.attn_q.weight", {64, 8}, 0, bytes_of(values))
                              .build());
  Silent observer;
  try {
    measure_weights(request_for(model.source(), {TensorType::q4_0}), observer);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_value);
    const std::string text = error.what();
    EXPECT_NE(text.find("blk.0.attn_q.weight"), text.npos) << text;
    EXPECT_NE(text.find("row 3, column 5"), text.npos) << text;
  }
}

TEST(MeasureWeights, SayThatAFileWasCutOff) {
  const TempFolder folder;
  const std::string file = folder / "model.gguf";
  const OpenedModel model(
      file, GgufBuilder()
                .string("general.architecture", "llama")
                .tensor("blk.0.attn_q.weight", {64, 512}, 0, bytes_of(random_numbers(64 * 512)))
                .build());
  std::filesystem::resize_file(file, 64 * 512);
  Silent observer;
  try {
    measure_weights(request_for(model.source(), {TensorType::q4_0}), observer);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_truncated);
    EXPECT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
  }
}

// Three experts, of which the second saw most tokens and the third none.
TEST(MeasureWeights, ExpertsCountByTheirTokensUnderTheirOwnImportance) {
  constexpr std::uint64_t kColumns = 64;
  constexpr std::uint64_t kRows = 8;
  const std::string name = "blk.0.ffn_gate_exps.weight";
  const std::vector<float> values = random_numbers(kColumns * kRows * 3);
  std::vector<float> sums;
  for (const float value : random_numbers(kColumns * 2)) sums.push_back(value * value * 7);
  sums.resize(kColumns * 3);
  const TempFolder folder;
  const OpenedModel model(folder / "model.gguf",
                          GgufBuilder()
                              .string("general.architecture", "llama")
                              .u32("llama.expert_used_count", 2)
                              .tensor(name, {kColumns, kRows, 3}, 0, bytes_of(values))
                              .build());
  testing_support::write_file(
      folder / "imatrix.gguf",
      GgufBuilder()
          .string("general.type", "imatrix")
          .tensor(name + ".in_sum2", {kColumns, 3}, 0, bytes_of(sums))
          .tensor(name + ".counts", {1, 3}, 0, bytes_of(std::vector<float>{9, 89, 0}))
          .build());
  const io::MappedFile file(io::File::open_input(folder / "imatrix.gguf"));
  const ImportanceMatrix imatrix = ImportanceMatrix::parse(file.bytes(), "imatrix");
  Request request = request_for(model.source(), {TensorType::q4_0});
  request.imatrix = &imatrix;
  request.imatrix_file = &file;
  request.subjects[0].importance = imatrix.find(name, kColumns, 3);
  Silent observer;
  const TensorMeasures found = measure_weights(request, observer).tensors.at(name);
  double error = 0;
  double power = 0;
  const std::vector<double> uses = {10, 90, 1};  // one more than each saw
  for (std::size_t expert = 0; expert < 3; ++expert) {
    std::vector<float> squares(kColumns, 1);
    for (std::size_t j = 0; j < kColumns && expert < 2; ++j) {
      squares[j] = sums[expert * kColumns + j] / (expert == 0 ? 9.0f : 89.0f);
    }
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(expert * kColumns * kRows);
    const Truth truth =
        truth_of({begin, begin + kColumns * kRows}, TensorType::q4_0, squares, squares.data());
    error += uses[expert] / 101 / 2 * truth.error;
    power += uses[expert] / 101 / 2 * truth.power;
  }
  EXPECT_NEAR(found.errors.at(TensorType::q4_0), error, 1e-9 * error);
  EXPECT_NEAR(found.power, power, 1e-9 * power);
}

// Rows of very different sizes: a sample is not all, but near it.
TEST(MeasureWeights, ASampleIsNearToAllRows) {
  constexpr std::uint64_t kColumns = 32;
  constexpr std::uint64_t kRows = 4096;
  std::vector<float> values = random_numbers(kColumns * kRows);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] *= std::exp(0.5f * std::sin(static_cast<float>(i / kColumns * i / kColumns)));
  }
  const TempFolder folder;
  const OpenedModel model(folder / "model.gguf", GgufBuilder()
                                                     .string("general.architecture", "llama")
                                                     .tensor("blk.0.ffn_down.weight",
                                                             {kColumns, kRows}, 0, bytes_of(values))
                                                     .build());
  Silent observer;
  const TensorMeasures found =
      measure_weights(request_for(model.source(), {TensorType::q4_0}), observer)
          .tensors.at("blk.0.ffn_down.weight");
  const Truth truth = truth_of(values, TensorType::q4_0, std::vector<float>(kColumns, 1));
  EXPECT_NEAR(found.errors.at(TensorType::q4_0) / truth.error, 1, 0.05);
  EXPECT_NEAR(found.power / truth.power, 1, 0.05);
  EXPECT_LT(observer.last.weights_done, values.size() / 4);
}

}  // namespace
}  // namespace sluice::measure
