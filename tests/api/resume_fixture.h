#pragma once

// Runs on a small model that are stopped after so many tensors, and what an undisturbed one makes.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <string>

#include "sluice/error.h"
#include "sluice/quantize.h"
#include "support/gguf_builder.h"
#include "support/random_bf16.h"
#include "support/temp_folder.h"

namespace sluice::resume_tests {

namespace fs = std::filesystem;
using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

/// Counts, and stops the run after some tensors.
class StoppingObserver : public Observer {
 public:
  explicit StoppingObserver(std::size_t tensors) : tensors_(tensors) {}

  void note(std::string_view text) override { notes += std::string(text) + "\n"; }
  void progress(const Progress& progress) override { last = progress; }
  void tensor_done(const TensorReport&, std::size_t, std::size_t) override {
    if (++done == tensors_) stop = true;
  }

  std::atomic<bool> stop = false;
  std::size_t done = 0;
  Progress last;
  std::string notes;

 private:
  std::size_t tensors_;
};

inline constexpr int kTensors = 40;
inline constexpr std::uint64_t kColumns = 1024;

class ResumeTest : public testing::Test {
 protected:
  ResumeTest() : model_(folder_ / "model.gguf"), output_(folder_ / "out.gguf") {
    write_model(1);
    const std::string whole = folder_ / "whole.gguf";
    options_.input = model_;
    options_.output = whole;
    options_.file_type = find_file_type("Q4_0");
    options_.pure = true;
    options_.threads = 2;
    options_.memory = 96u << 20;
    options_.io = IoMode::plain;
    options_.checkpoint_s = 0;  // after every chunk
    Observer silent;
    quantize(options_, silent);
    expected_ = read_file(whole);
    options_.output = output_;
  }

  void write_model(unsigned seed) {
    std::mt19937 random(seed);
    GgufBuilder builder;
    builder.string("general.architecture", "llama").u32("llama.block_count", kTensors);
    for (int i = 0; i < kTensors; ++i) {
      const std::uint64_t rows = i % 7 == 3 ? 3 : 100 + random() % 700;
      builder.tensor("blk." + std::to_string(i) + ".ffn_up.weight", {kColumns, rows}, 30,
                     testing_support::random_bf16(kColumns * rows, random()));
    }
    write_file(model_, builder.build());
  }

  // Runs until so many tensors are done; whether that was before the end.
  bool stop_after(std::size_t tensors) {
    StoppingObserver observer(tensors);
    options_.stop = &observer.stop;
    try {
      quantize(options_, observer);
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::interrupted) << error.what();
      return true;
    }
  }

  RunReport finish(StoppingObserver& observer) {
    options_.stop = nullptr;
    return quantize(options_, observer);
  }

  std::string refusal() {
    StoppingObserver observer(0);
    try {
      finish(observer);
      return "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::resume_refused);
      EXPECT_EQ(error.context().file, output_ + ".part");
      EXPECT_NE(error.context().cure.find("--restart"), std::string::npos);
      return error.what();
    }
  }

  const TempFolder folder_;
  const std::string model_;
  const std::string output_;
  QuantizeOptions options_;
  Bytes expected_;
};

}  // namespace sluice::resume_tests
