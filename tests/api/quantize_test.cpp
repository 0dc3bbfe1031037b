// Whole runs: the output against rows encoded one tensor at a time, over every way of running.

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <regex>

#include "api/quantize_fixture.h"
#include "base/process_memory.h"

namespace sluice {
namespace {

TEST_F(QuantizeTest, TheMixIsEveryTensorEncodedWithItsRow) {
  QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
  options.imatrix = imatrix_;
  quantize(options, silent());
  expect_right(output_, true);

  gguf::Header header;
  tensor_data(output_, &header);
  EXPECT_EQ(header.version, 3u);
  EXPECT_EQ(header.find("general.file_type")->as_uint(), 31u);
  EXPECT_EQ(header.find("general.quantization_version")->as_uint(), 2u);
  EXPECT_EQ(header.find("sluice.version")->as_string(), std::string(version()));
  EXPECT_EQ(header.find("sluice.effort")->as_string(), "best");
  EXPECT_EQ(header.find("quantize.imatrix.file")->as_string(), "model.imatrix");
  EXPECT_EQ(header.find("quantize.imatrix.dataset")->as_string(), "text");
  EXPECT_EQ(header.find("quantize.imatrix.entries_count")->as_uint(), 10u);
  EXPECT_EQ(header.find("quantize.imatrix.chunks_count")->as_uint(), 17u);
  EXPECT_EQ(header.find("tokenizer.ggml.tokens")->as_strings(),
            (std::vector<std::string>{"a", "b"}));
}

// Rows of 96 are no whole blocks of Q4_K, so that blk.0.ffn_down_exps is of Q5_0: 147456 of 3947008
// weights have 5.5 bits instead of 4.5, and 2560 keep 32.
TEST_F(QuantizeTest, SubstitutedTypesAreTold) {
  QuantizeOptions options = options_for(model_, output_, "Q4_K", true);
  const std::string told =
      "1 tensor (3.7 % of the weights) with rows that the type asked for does not fit: "
      "q4_k becomes q5_0 (1); 4.555 bits per weight instead of 4.518";
  const PlanView view = plan(options);
  EXPECT_EQ(view.notes, std::vector<std::string>{told});
  const RunReport report = quantize(options, silent());
  EXPECT_EQ(report.substituted, told);
  for (std::size_t i = 0; i < view.tensors.size(); ++i) {
    const bool substituted = view.tensors[i].name == "blk.0.ffn_down_exps.weight";
    const auto asked = substituted ? std::optional(TensorType::q4_k) : std::nullopt;
    EXPECT_EQ(view.tensors[i].asked, asked);
    EXPECT_EQ(report.tensors[i].asked, asked);
  }
  fs::remove(output_);
  options.file_type = find_file_type("Q8_0");
  EXPECT_TRUE(plan(options).notes.empty());
  EXPECT_TRUE(quantize(options, silent()).substituted.empty());
}

// Counts what a run tells.
class CountingObserver final : public Observer {
 public:
  void progress(const Progress& progress) override {
    EXPECT_GE(progress.input_bytes_done, last_.input_bytes_done);
    EXPECT_LE(progress.input_bytes_done, progress.input_bytes);
    last_ = progress;
    ++chunks_;
  }
  void tensor_done(const TensorReport&, std::size_t index, std::size_t count) override {
    EXPECT_EQ(index, tensors_++);
    count_ = count;
  }
  Progress last_;
  std::size_t chunks_ = 0;
  std::size_t tensors_ = 0;
  std::size_t count_ = 0;
};

TEST_F(QuantizeTest, RowsThatAreStoredTogetherHaveTheirExpertsImportance) {
  // Fewer rows than elsewhere, for sanitizers make these types slow, in chunks as small as can be.
  const auto query = std::ranges::find(tensors_, "blk.0.attn_q.weight", &TestTensor::name);
  *query = make_tensor(query->name, {512, 600}, query->type);
  write_model(model_, tensors_);
  for (const std::string type : {"IQ1_S_R4", "IQ1_M_R4"}) {
    QuantizeOptions options = options_for(model_, output_, type, true);
    options.mix = Mix::ik_llama_cpp;
    options.imatrix = imatrix_;
    options.verify = true;
    options.restart = true;
    const std::string low = type == "IQ1_S_R4" ? "iq1_s_r4" : "iq1_m_r4";
    const std::vector<std::string> notes = plan(options).notes;
    EXPECT_EQ(
        std::ranges::count(notes, "1 tensor of " + low +
                                      " with rows that 128 does not divide, "
                                      "blk.0.ffn_down_exps.weight's of 96 first: ik_llama.cpp "
                                      "loads the file, and ends when it multiplies by them. "
                                      "--tensor-type gives them another type"),
        1);
    options.memory = least_memory(options);
    CountingObserver observer;
    quantize(options, observer);
    EXPECT_GT(observer.chunks_, 10 * tensors_.size());
    expect_right(output_, true);
    gguf::Header header;
    tensor_data(output_, &header);
    std::map<std::string, std::string_view> types;
    for (const gguf::Tensor& tensor : header.tensors) types[tensor.name] = name(tensor.type);
    EXPECT_EQ(types["blk.0.ffn_down_exps.weight"], low);
    EXPECT_EQ(types["token_embd.weight"], type == "IQ1_S_R4" ? "iq1_s" : "iq1_m");
  }
}

class QuantizeTypes : public QuantizeTest, public testing::WithParamInterface<const char*> {};

TEST_P(QuantizeTypes, TheSameBytesForAnyModeThreadsAndBudget) {
  QuantizeOptions options = options_for(model_, output_, GetParam(), true);
  if (!options.file_type->in(options.mix)) options.mix = Mix::ik_llama_cpp;
  options.ignore_imatrix_rules = true;
  quantize(options, silent());
  expect_right(output_, false);
  const Bytes first = read_file(output_);
  for (const IoMode io : {IoMode::automatic, IoMode::mmap, IoMode::async, IoMode::plain}) {
    for (const int threads : {1, 2, 5}) {
      options.io = io;
      options.threads = threads;
      const std::uint64_t least = least_memory(options);
      for (const std::uint64_t memory : {least, least + (1u << 20), std::uint64_t{2} << 30}) {
        options.memory = memory;
        options.isa = supported_isas()[static_cast<std::size_t>(threads) % supported_isas().size()];
        quantize(options, silent());
        EXPECT_TRUE(read_file(output_) == first)
            << "io " << static_cast<int>(io) << " threads " << threads << " memory " << memory;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Pure, QuantizeTypes, testing::Values("Q4_0", "Q8_0", "IQ1_M_R4"),
                         [](const auto& test) { return std::string(test.param); });

// All that the process holds, where that counts; else what the run adds to it.
TEST_F(QuantizeTest, AnonymousMemoryStaysWithinTheBudget) {
  for (const bool of_process : {true, false}) {
    QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
    options.memory_of_process = of_process;
    options.memory = least_memory(options) + (2u << 20);
    const std::uint64_t before = of_process ? 0 : anonymous_bytes();
    const RunReport report = quantize(options, silent());
    EXPECT_LE(report.peak_anon_bytes, before + options.memory);
    EXPECT_GT(report.peak_anon_bytes, before);
  }
}

TEST_F(QuantizeTest, TheReportTellsEachTensorsChecksum) {
  for (const std::uint64_t memory : {std::uint64_t{64} << 20, std::uint64_t{512} << 20}) {
    QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
    options.imatrix = imatrix_;
    options.memory = memory;
    options.verify = true;
    const RunReport report = quantize(options, silent());
    const std::map<std::string, Bytes> data = tensor_data(output_, nullptr);
    for (const TensorReport& tensor : report.tensors) {
      const Bytes& bytes = data.at(tensor.name);
      EXPECT_EQ(tensor.crc32, ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()),
                                      static_cast<uInt>(bytes.size())))
          << tensor.name;
    }
  }
}

TEST_F(QuantizeTest, TheReportTellsErrorsThatAnIndependentSumConfirms) {
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  options.imatrix = imatrix_;
  options.measure_error = true;
  const RunReport report = quantize(options, silent());
  ASSERT_EQ(report.tensors.size(), tensors_.size());
  const std::map<std::string, Bytes> data = tensor_data(output_, nullptr);
  double all_error = 0, all_norm = 0, all_weighted_error = 0, all_weighted_norm = 0;
  std::uint64_t weights = 0;
  std::multimap<double, std::string, std::greater<>> by_error;
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const TestTensor& tensor = tensors_[t];
    const TensorReport& told = report.tensors[t];
    ASSERT_EQ(told.name, tensor.name);
    EXPECT_EQ(told.bytes, data.at(tensor.name).size());
    std::vector<float> x(tensor.elements());
    std::vector<float> y(tensor.elements());
    find_codec(tensor.type)->decode(tensor.data.data(), x.data(), x.size());
    find_codec(told.type)->decode(data.at(tensor.name).data(), y.data(), y.size());
    const std::uint64_t per_expert =
        tensor.shape[0] * (tensor.shape.size() > 1 ? tensor.shape[1] : 1);
    double error = 0, norm = 0, weighted_error = 0, weighted_norm = 0;
    std::vector<float> q;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (i % per_expert == 0) {
        q = importance_of(tensor, i / per_expert);
        if (i / per_expert == 1) std::fill(q.begin(), q.end(), 1.0f);
      }
      const double difference = double{x[i]} - double{y[i]};
      const double weight = q[i % tensor.shape[0]];
      error += difference * difference;
      norm += double{x[i]} * double{x[i]};
      weighted_error += weight * difference * difference;
      weighted_norm += weight * double{x[i]} * double{x[i]};
    }
    EXPECT_NEAR(told.plain_error, error / norm, 1e-9) << tensor.name;
    EXPECT_NEAR(told.weighted_error, weighted_error / weighted_norm, 1e-9) << tensor.name;
    EXPECT_EQ(told.plain_error == 0, told.source == told.type) << tensor.name;
    if (told.source == told.type) continue;
    EXPECT_NEAR(told.plain_power / norm, 1, 1e-9) << tensor.name;
    EXPECT_NEAR(told.weighted_power / weighted_norm, 1, 1e-9) << tensor.name;
    all_error += error;
    all_norm += norm;
    all_weighted_error += weighted_error;
    all_weighted_norm += weighted_norm;
    weights += x.size();
    by_error.emplace(weighted_error / weighted_norm, tensor.name);
  }
  ASSERT_TRUE(report.total_error);
  EXPECT_NEAR(report.total_error->plain, all_error / all_norm, 1e-9);
  EXPECT_NEAR(report.total_error->weighted, all_weighted_error / all_weighted_norm, 1e-9);
  EXPECT_EQ(report.total_error->measured_weights, weights);
  EXPECT_EQ(report.total_error->weights, weights);
  std::vector<std::string> worst;
  for (const auto& [error, name] : by_error) worst.push_back(name);
  worst.resize(std::min<std::size_t>(10, worst.size()));
  EXPECT_EQ(report.worst, worst);
}

TEST_F(QuantizeTest, WhatWasNotMeasuredHasNoTotal) {
  const RunReport report = quantize(options_for(model_, output_, "Q4_0", true), silent());
  EXPECT_FALSE(report.total_error);
  EXPECT_TRUE(report.worst.empty());
}

TEST_F(QuantizeTest, SplitFilesGiveTheSameTensorsFromAnyPart) {
  const std::string names[] = {folder_ / "split-00001-of-00003.gguf",
                               folder_ / "split-00002-of-00003.gguf",
                               folder_ / "split-00003-of-00003.gguf"};
  const std::size_t first_of[] = {0, 4, 9, tensors_.size()};
  for (std::uint16_t part = 0; part < 3; ++part) {
    GgufBuilder builder = part == 0 ? with_metadata() : GgufBuilder();
    builder.u16("split.no", part)
        .u16("split.count", 3)
        .i32("split.tensors.count", static_cast<std::int32_t>(tensors_.size()));
    write_model(names[part],
                {tensors_.begin() + first_of[part], tensors_.begin() + first_of[part + 1]},
                builder);
  }
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  quantize(options, silent());
  const Bytes whole = read_file(output_);
  for (const std::string& name : names) {
    options.input = name;
    quantize(options, silent());
    EXPECT_TRUE(read_file(output_) == whole) << name;
  }

  options.output = names[1];
  EXPECT_THROW(quantize(options, silent()), Error) << "an input part as output";
  fs::remove(names[2]);
  options.output = output_;
  try {
    quantize(options, silent());
    ADD_FAILURE() << "a missing part was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_open);
    EXPECT_EQ(error.context().file, names[2]);
  }
}

TEST_F(QuantizeTest, AnyFileOrderAlignmentAndVersionOfTheInput) {
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  quantize(options, silent());
  const std::map<std::string, Bytes> expected = tensor_data(output_, nullptr);

  GgufBuilder builder = with_metadata();
  builder.version(2).alignment(256).gap(1000);
  std::vector<std::size_t> backwards;
  for (std::size_t i = tensors_.size(); i-- > 0;) backwards.push_back(i);
  builder.data_order(backwards);
  write_model(folder_ / "odd.gguf", tensors_, builder);
  options.input = folder_ / "odd.gguf";
  quantize(options, silent());
  gguf::Header header;
  EXPECT_TRUE(tensor_data(output_, &header) == expected);
  EXPECT_EQ(header.alignment, 256u);
}

TEST_F(QuantizeTest, ThePlanIsWhatTheOutputHas) {
  QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
  options.imatrix = imatrix_;
  const PlanView view = plan(options);
  EXPECT_FALSE(fs::exists(output_));
  quantize(options, silent());
  gguf::Header header;
  tensor_data(output_, &header);
  EXPECT_EQ(view.output_bytes, fs::file_size(output_));
  ASSERT_EQ(view.tensors.size(), header.tensors.size());
  for (std::size_t i = 0; i < view.tensors.size(); ++i) {
    EXPECT_EQ(view.tensors[i].name, header.tensors[i].name);
    EXPECT_EQ(view.tensors[i].type, header.tensors[i].type);
    EXPECT_EQ(view.tensors[i].size, header.tensors[i].size);
    EXPECT_EQ(view.tensors[i].offset, header.data_offset + header.tensors[i].offset);
    EXPECT_FALSE(view.tensors[i].rule.empty());
  }
}

TEST_F(QuantizeTest, TheObserverSeesEveryTensorAndTheEnd) {
  CountingObserver observer;
  const RunReport report = quantize(options_for(model_, output_, "Q4_0", true), observer);
  EXPECT_EQ(observer.tensors_, tensors_.size());
  EXPECT_EQ(observer.count_, tensors_.size());
  EXPECT_EQ(observer.last_.input_bytes_done, observer.last_.input_bytes);
  EXPECT_EQ(report.read_bytes, observer.last_.input_bytes);
  EXPECT_EQ(report.write_bytes, fs::file_size(output_));
}

// An observer that throws must stop the run, not the process.
class ThrowingObserver final : public Observer {
 public:
  void progress(const Progress&) override { throw std::runtime_error("observer"); }
};

TEST_F(QuantizeTest, AnObserverThatThrowsEndsTheRun) {
  ThrowingObserver observer;
  EXPECT_THROW(quantize(options_for(model_, output_, "Q4_0", true), observer), std::runtime_error);
  EXPECT_FALSE(fs::exists(output_));
}

}  // namespace
}  // namespace sluice
