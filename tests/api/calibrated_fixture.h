#pragma once

// A small model whose rows are whole super-blocks, tokens to run it on, and runs of quantize with them.

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/float16.h"
#include "sluice/error.h"
#include "sluice/quantize.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice::calibrated_tests {

using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

inline constexpr std::uint64_t kWidth = 256;
inline constexpr std::uint64_t kFeedForward = 512;
inline constexpr std::uint64_t kVocabulary = 300;
inline constexpr std::uint32_t kLayers = 2;

/// A LLaMA with random weights in F16; with experts, two of them are used.
class WideModel {
 public:
  explicit WideModel(std::uint64_t experts = 0, unsigned seed = 1) : random_(seed) {
    builder_.string("general.architecture", "llama");
    number("block_count", kLayers)
        .number("context_length", 4096)
        .number("embedding_length", kWidth);
    number("feed_forward_length", kFeedForward).number("vocab_size", kVocabulary);
    number("attention.head_count", 4).number("attention.head_count_kv", 2);
    number("rope.dimension_count", 64);
    builder_.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    if (experts > 0) number("expert_count", experts).number("expert_used_count", 2);
    matrix("token_embd.weight", {kWidth, kVocabulary}, 16);
    for (std::uint32_t layer = 0; layer < kLayers; ++layer) add_layer(layer, experts);
    ones("output_norm.weight");
    matrix("output.weight", {kWidth, kVocabulary}, 1);
  }

  Bytes build() const { return builder_.build(); }

 private:
  WideModel& number(const std::string& key, std::uint64_t value) {
    builder_.u32("llama." + key, static_cast<std::uint32_t>(value));
    return *this;
  }
  void matrix(const std::string& name, const std::vector<std::uint64_t>& shape, float gain) {
    std::normal_distribution<float> normal(0, gain / std::sqrt(static_cast<float>(shape[0])));
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) count *= extent;
    std::vector<std::uint16_t> values(count);
    for (std::uint16_t& value : values) value = f32_to_f16(normal(random_));
    builder_.tensor(name, shape, 1, testing_support::bytes_of(values));
  }
  void ones(const std::string& name) {
    builder_.tensor(name, {kWidth}, 0, testing_support::bytes_of(std::vector<float>(kWidth, 1)));
  }
  void add_layer(std::uint32_t layer, std::uint64_t experts) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    ones(blk + "attn_norm.weight");
    matrix(blk + "attn_q.weight", {kWidth, kWidth}, 1.5f);
    matrix(blk + "attn_k.weight", {kWidth, kWidth / 2}, 1.5f);
    matrix(blk + "attn_v.weight", {kWidth, kWidth / 2}, 1);
    matrix(blk + "attn_output.weight", {kWidth, kWidth}, 1);
    ones(blk + "ffn_norm.weight");
    if (experts == 0) {
      matrix(blk + "ffn_gate.weight", {kWidth, kFeedForward}, 1.5f);
      matrix(blk + "ffn_up.weight", {kWidth, kFeedForward}, 1.5f);
      matrix(blk + "ffn_down.weight", {kFeedForward, kWidth}, 1.5f);
      return;
    }
    matrix(blk + "ffn_gate_inp.weight", {kWidth, experts}, 1.5f);
    matrix(blk + "ffn_gate_exps.weight", {kWidth, kFeedForward, experts}, 1.5f);
    matrix(blk + "ffn_up_exps.weight", {kWidth, kFeedForward, experts}, 1.5f);
    matrix(blk + "ffn_down_exps.weight", {kFeedForward, kWidth, experts}, 1.5f);
  }

  GgufBuilder builder_;
  std::mt19937 random_;
};

inline constexpr std::uint64_t kSequence = 16;
inline constexpr std::uint64_t kTokens = 6 * kSequence;

inline std::vector<std::int32_t> random_ids(std::uint64_t count, unsigned seed = 7) {
  std::mt19937 random(seed);
  std::vector<std::int32_t> ids;
  for (std::uint64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int32_t>(random() % kVocabulary));
  }
  return ids;
}

inline void write_ids(const std::string& path, const std::vector<std::int32_t>& ids) {
  std::string text;
  for (const std::int32_t id : ids) text += std::to_string(id) + "\n";
  Bytes bytes;
  testing_support::put_bytes(bytes, text.data(), text.size());
  write_file(path, bytes);
}

/// Keeps notes, and stops a run when a tensor is done.
class Stopper final : public Observer {
 public:
  explicit Stopper(std::size_t after = 0) : after_(after) {}

  void note(std::string_view text) override { notes += std::string(text) + "\n"; }
  void tensor_done(const TensorReport&, std::size_t, std::size_t) override {
    if (++done == after_) stop = true;
  }

  std::atomic<bool> stop = false;
  std::size_t done = 0;
  std::string notes;

 private:
  std::size_t after_;
};

class CalibratedTest : public testing::Test {
 protected:
  CalibratedTest() {
    write_file(folder_ / "model.gguf", WideModel().build());
    write_ids(folder_ / "ids.txt", random_ids(kTokens));
    options_.input = folder_ / "model.gguf";
    options_.output = folder_ / "out.gguf";
    options_.file_type = find_file_type("IQ1_M");
    options_.pure = true;
    options_.threads = 2;
    options_.effort = Effort::fast;
    options_.io = IoMode::plain;
    options_.checkpoint_s = 0;
    options_.calibration.tokens = folder_ / "ids.txt";
    options_.calibration.context = kSequence;
  }

  /// The output of an undisturbed run.
  Bytes made(const QuantizeOptions& options) {
    QuantizeOptions now = options;
    now.output = folder_ / ("made" + std::to_string(made_++) + ".gguf");
    Observer silent;
    quantize(now, silent);
    return read_file(now.output);
  }

  std::string refusal(const QuantizeOptions& options, ErrorCode code) {
    Observer silent;
    try {
      quantize(options, silent);
      return "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
  }

  const TempFolder folder_;
  QuantizeOptions options_;

 private:
  int made_ = 0;
};

/// Runs, each with a stopper of its own (`stopper_of` the number of runs before), until one comes to the end.
/// \returns how many there were
template <typename StopperOf>
std::size_t runs_until_whole(QuantizeOptions options, std::size_t most,
                             const StopperOf& stopper_of) {
  for (std::size_t runs = 0; runs < most; ++runs) {
    auto stopper = stopper_of(runs);
    options.stop = &stopper.stop;
    try {
      quantize(options, stopper);
      return runs + 1;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::interrupted) << error.what();
    }
  }
  ADD_FAILURE() << "not whole after " << most << " runs";
  return most;
}

}  // namespace sluice::calibrated_tests
