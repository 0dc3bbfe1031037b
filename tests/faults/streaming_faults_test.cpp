// The library on disks that are slow, or not what they seem: it ends when it is told to, and says
// what it had to do without.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "sluice/compare.h"
#include "sluice/error.h"
#include "sluice/forecast.h"
#include "sluice/quantize.h"
#include "sluice/verify.h"
#include "support/fault_disk.h"
#include "support/gguf_builder.h"
#include "support/needs.h"

namespace sluice {
namespace {

using namespace testing_support;
namespace fs = std::filesystem;

constexpr std::uint64_t kColumns = 4096;
constexpr std::uint64_t kRows = 4096;
constexpr std::uint64_t kLayers = 16;

class Notes : public Observer {
 public:
  void progress(const Progress& progress) override { last = progress; }
  Progress last;
  void note(std::string_view note) override { text += std::string(note) + "\n"; }
  std::string text;
};

class StreamingFaults : public testing::TestWithParam<IoMode> {
 protected:
  void SetUp() override {
    SLUICE_NEEDS(disk_.mounted(), disk_.why_not());
    for (const std::string& model : {model_, other_}) write_hole(model);
  }

  // 512 MiB of F16 zeros that take no disk.
  static void write_hole(const std::string& path) {
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u32("llama.block_count", static_cast<std::uint32_t>(kLayers));
    constexpr std::uint64_t kBytes = kColumns * kRows * 2;
    for (std::uint64_t i = 0; i < kLayers; ++i) {
      builder.tensor("blk." + std::to_string(i) + ".ffn_up.weight", {kColumns, kRows}, 1, {},
                     i * kBytes);
    }
    const Bytes header = builder.build();
    write_file(path, header);
    fs::resize_file(path, header.size() + kLayers * kBytes);
  }

  QuantizeOptions quantize_options() const {
    QuantizeOptions options;
    options.input = model_;
    options.output = folder_ / "out.gguf";
    options.file_type = find_file_type("Q8_0");
    options.pure = true;
    return with_mode(options);
  }
  VerifyOptions verify_options() const {
    VerifyOptions options;
    options.output = other_;
    options.against = model_;
    return with_mode(options);
  }
  CompareOptions compare_options() const {
    CompareOptions options;
    options.a = model_;
    options.b = other_;
    return with_mode(options);
  }

  template <class Options>
  Options with_mode(Options options) const {
    options.io = GetParam();
    options.threads = 2;
    options.stop = &stop_;
    return options;
  }

  /// Runs it on a disk of 60 MB/s, tells it to stop after a while, and looks how long that takes.
  void expect_stops(const std::function<void()>& run) {
    using Clock = std::chrono::steady_clock;
    stop_ = false;
    Clock::time_point told;
    std::thread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(700));
      told = Clock::now();
      stop_ = true;
    });
    ErrorCode code = ErrorCode::usage;
    try {
      run();
    } catch (const Error& error) {
      code = error.code();
    }
    const Clock::time_point ended = Clock::now();
    stopper.join();
    EXPECT_EQ(code, ErrorCode::interrupted);
    EXPECT_LT(std::chrono::duration<double>(ended - told).count(), 1.0);
  }

  FaultDisk disk_;
  const TempFolder folder_;
  const std::string model_ = disk_ / "model.gguf";
  const std::string other_ = disk_ / "other.gguf";
  std::atomic<bool> stop_ = false;
};

TEST_P(StreamingFaults, OnASlowDiskAllStopWithinASecond) {
  disk_.tell("slow 60000000\n");
  Observer silent;
  expect_stops([&] { quantize(quantize_options(), silent); });
  expect_stops([&] { verify(verify_options(), silent); });
  expect_stops([&] { compare(compare_options(), silent); });
}

// Also where the kernel reads because a page is touched.
TEST_P(StreamingFaults, OnASlowDiskTheDiskIsWhatLimits) {
  disk_.tell("slow 60000000\n");
  Notes seen;
  expect_stops([&] { quantize(quantize_options(), seen); });
  EXPECT_EQ(largest_wait(seen.last.wait_disk_s, seen.last.wait_cores_s, seen.last.wait_budget_s),
            Limit::disk)
      << seen.last.wait_disk_s << " " << seen.last.wait_cores_s << " " << seen.last.wait_budget_s;
}

INSTANTIATE_TEST_SUITE_P(Modes, StreamingFaults,
                         testing::Values(IoMode::async, IoMode::mmap, IoMode::plain),
                         [](const auto& test) {
                           return test.param == IoMode::async  ? "async"
                                  : test.param == IoMode::mmap ? "mmap"
                                                               : "read";
                         });

const std::string kModel = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";

class Fallbacks : public testing::Test {
 protected:
  void SetUp() override {
    SLUICE_NEEDS(disk_.mounted(), disk_.why_not());
    options_.input = disk_ / "tiny-llama-f16.gguf";
    options_.output = folder_ / "out.gguf";
    options_.file_type = find_file_type("Q8_0");
    options_.io = IoMode::async;
    Observer silent;
    SLUICE_NEEDS(quantize(options_, silent).io != "read", "no io_uring here");
  }

  /// All three, and what they say of the way in which they read.
  void expect_mode(const std::string& mode, bool noted) {
    Notes notes;
    fs::remove(options_.output);
    EXPECT_EQ(quantize(options_, notes).io, mode);
    expect_noted(notes, noted);

    VerifyOptions check;
    check.output = options_.output;
    check.against = options_.input;
    check.io = IoMode::async;
    EXPECT_EQ(verify(check, notes).io, mode);
    expect_noted(notes, noted);

    CompareOptions both;
    both.a = options_.input;
    both.b = options_.output;
    both.io = IoMode::async;
    EXPECT_EQ(compare(both, notes).io, mode);
    expect_noted(notes, noted);
  }

  void expect_noted(Notes& notes, bool noted) {
    const std::string wanted = "the file system of " + options_.input + " refuses direct reads";
    EXPECT_EQ(notes.text.find(wanted) != std::string::npos, noted) << notes.text;
    notes.text.clear();
  }

  FaultDisk disk_{{kModel}};
  const TempFolder folder_;
  QuantizeOptions options_;
};

TEST_F(Fallbacks, DirectReadsThatAreRefusedAreNamed) {
  expect_mode("async", false);
  disk_.tell("no-direct\n");
  expect_mode("async, cached", true);
  disk_.tell("clear\nno-direct-reads\n");  // taken at opening, refused at reading
  expect_mode("async, cached", true);
}

TEST_F(Fallbacks, DirectWritesThatAreRefusedAreNamed) {
  options_.output = disk_ / "out.gguf";
  for (const bool refused : {false, true}) {
    if (refused) disk_.tell("no-direct\n");
    Notes notes;
    quantize(options_, notes);
    EXPECT_EQ(notes.text.find("out.gguf.part refuses direct writes") != std::string::npos, refused)
        << notes.text;
  }
}

TEST_F(Fallbacks, RowsThatHadToBeMadeUpAreNamed) {
  const auto looked_at = [&] {
    const Forecast seen = forecast(options_, {.measure_s = 0.05});
    EXPECT_TRUE(seen.time.has_value()) << seen.no_time;
    EXPECT_FALSE(seen.time->conversions.empty());
    for (const ConversionRate& rate : seen.time->conversions) {
      EXPECT_GT(rate.weights_per_s, 0) << name(rate.type);
    }
    return seen.time->conversions;
  };
  options_.file_type = find_file_type("IQ1_M");
  options_.ignore_imatrix_rules = true;
  for (const ConversionRate& rate : looked_at()) EXPECT_EQ(rate.made_up, "") << name(rate.type);
  // Behind the header, which is read with the first megabyte.
  std::string rules;
  for (int at = 3 << 19; at < 14 << 20; at += 16 << 10) {
    rules += "on read file=f16.gguf at=" + std::to_string(at) + " do EIO\n";
  }
  disk_.tell(rules);
  for (const ConversionRate& rate : looked_at()) {
    EXPECT_NE(rate.made_up.find("cannot be read"), std::string::npos) << rate.made_up;
  }
}

}  // namespace
}  // namespace sluice
