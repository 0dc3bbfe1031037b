// Runs that are stopped and go on: the bytes are those of an undisturbed run.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>

#include "journal/journal.h"
#include "sluice/error.h"
#include "sluice/forecast.h"
#include "sluice/quantize.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

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

constexpr int kTensors = 40;
constexpr std::uint64_t kColumns = 1024;

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
      Bytes data(kColumns * rows * 2);
      // BF16 between 0.5 and 2, either sign.
      for (std::size_t k = 0; k < data.size(); k += 2) {
        data[k] = static_cast<std::byte>(random());
        data[k + 1] = static_cast<std::byte>(0x3f | (random() & 0x80));
      }
      builder.tensor("blk." + std::to_string(i) + ".ffn_up.weight", {kColumns, rows}, 30, data);
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

TEST_F(ResumeTest, GoesOnWhereItWasStopped) {
  ASSERT_TRUE(stop_after(20));
  EXPECT_FALSE(fs::exists(output_));
  ASSERT_TRUE(fs::exists(output_ + ".part"));
  ASSERT_TRUE(fs::exists(output_ + ".part.journal"));
  const IntervalSet done =
      journal::ranges_of(journal::Journal(output_ + ".part.journal").load()->records);
  EXPECT_GT(done.size(), expected_.size() / 3) << "half was made, and most of it must be safe";

  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_FALSE(fs::exists(output_ + ".part"));
  EXPECT_FALSE(fs::exists(output_ + ".part.journal"));
  EXPECT_NE(observer.notes.find("resuming: "), std::string::npos) << observer.notes;
  EXPECT_EQ(report.resumed_bytes, done.size());
  EXPECT_LT(report.read_bytes, fs::file_size(model_) * 3 / 4) << "what was done is not read again";
  EXPECT_EQ(report.tensors.size(), std::size_t{kTensors});
  EXPECT_EQ(observer.last.input_bytes_done, observer.last.input_bytes);
}

TEST_F(ResumeTest, TheTotalErrorIsOfTheTensorsThatThisRunMadeWhole) {
  ASSERT_TRUE(stop_after(10));
  options_.measure_error = true;
  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  std::uint64_t weights = 0, measured = 0;
  double error = 0, power = 0;
  for (const TensorReport& tensor : report.tensors) {
    weights += tensor.shape[0] * tensor.shape[1];
    if (std::isnan(tensor.plain_error)) continue;
    measured += tensor.shape[0] * tensor.shape[1];
    error += tensor.plain_error * tensor.plain_power;
    power += tensor.plain_power;
  }
  ASSERT_TRUE(report.total_error);
  EXPECT_EQ(report.total_error->weights, weights);
  EXPECT_EQ(report.total_error->measured_weights, measured);
  EXPECT_LT(measured, weights);
  EXPECT_GT(measured, 0u);
  EXPECT_NEAR(report.total_error->plain, error / power, 1e-12);
}

TEST_F(ResumeTest, StoppedAgainAndAgainWithOtherBudgetsThreadsAndModes) {
  std::mt19937 random(7);
  int stops = 0;
  for (;; ++stops) {
    options_.threads = 1 + static_cast<int>(random() % 3);
    options_.memory = std::uint64_t{80 + random() % 60} << 20;
    options_.io = std::array{IoMode::plain, IoMode::mmap, IoMode::async}[random() % 3];
    options_.spindle = random() % 2 == 0 ? Spindle::shared : Spindle::separate;
    options_.isa = supported_isas()[random() % supported_isas().size()];
    if (!stop_after(3)) break;
    ASSERT_LT(stops, 40) << "it does not get on";
  }
  EXPECT_GE(stops, 3);
  EXPECT_EQ(read_file(output_), expected_);
}

TEST_F(ResumeTest, WhatItWasMadeFromMustBeTheSame) {
  ASSERT_TRUE(stop_after(10));
  const auto keeps_part = [&] { return fs::exists(output_ + ".part.journal"); };

  options_.file_type = find_file_type("Q5_0");
  EXPECT_NE(refusal().find("other options"), std::string::npos);
  options_.file_type = find_file_type("Q4_0");
  EXPECT_TRUE(keeps_part());

  options_.effort = Effort::fast;
  EXPECT_NE(refusal().find("effort"), std::string::npos);
  options_.effort = Effort::best;

  const fs::file_time_type time = fs::last_write_time(model_);
  fs::last_write_time(model_, time + std::chrono::seconds(1));
  EXPECT_NE(refusal().find("was modified since"), std::string::npos);
  EXPECT_TRUE(keeps_part());

  fs::last_write_time(model_, time);
  options_.same_input = true;  // setting a time is a change too
  StoppingObserver observer(0);
  finish(observer);
  EXPECT_EQ(read_file(output_), expected_);
}

TEST_F(ResumeTest, RestartBeginsAnew) {
  ASSERT_TRUE(stop_after(10));
  options_.restart = true;
  options_.file_type = find_file_type("Q8_0");
  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  EXPECT_EQ(report.resumed_bytes, 0u);
  EXPECT_FALSE(fs::exists(output_ + ".part.journal"));
  EXPECT_GT(fs::file_size(output_), expected_.size());
}

// Bytes that changed on the disk since are noticed where they are looked at.
TEST_F(ResumeTest, VerifyResumeMakesDamagedRangesAnew) {
  ASSERT_TRUE(stop_after(20));
  Bytes part = read_file(output_ + ".part");
  const IntervalSet done =
      journal::ranges_of(journal::Journal(output_ + ".part.journal").load()->records);
  std::uint64_t at = 0;
  done.for_each([&](Interval range) { at = (range.begin + range.end) / 2; });
  part[at] ^= std::byte{1};
  write_file(output_ + ".part", part);
  options_.verify_resume = true;
  StoppingObserver observer(0);
  finish(observer);
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_NE(observer.notes.find("made again"), std::string::npos) << observer.notes;
}

// The control: without looking, the damage stays.
TEST_F(ResumeTest, WithoutVerifyResumeTheJournalIsBelieved) {
  ASSERT_TRUE(stop_after(20));
  Bytes part = read_file(output_ + ".part");
  part[fs::file_size(output_ + ".part") / 10] ^= std::byte{1};
  write_file(output_ + ".part", part);
  StoppingObserver observer(0);
  finish(observer);
  EXPECT_NE(read_file(output_), expected_);
}

TEST_F(ResumeTest, ATornJournalLosesItsTailOnly) {
  ASSERT_TRUE(stop_after(20));
  const std::string journal = output_ + ".part.journal";
  fs::resize_file(journal, fs::file_size(journal) - 17);
  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  EXPECT_GT(report.resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
}

// The control is WhatItWasMadeFromMustBeTheSame: with other data, or without the option, it refuses.
TEST_F(ResumeTest, ACopyThatLostItsTimeIsTheSameInputOnRequest) {
  ASSERT_TRUE(stop_after(20));
  fs::copy_file(model_, folder_ / "copy");
  fs::rename(folder_ / "copy", model_);
  EXPECT_NE(refusal().find("--same-input"), std::string::npos);
  options_.same_input = true;
  ASSERT_TRUE(stop_after(3)) << "goes on";
  options_.same_input = false;  // the journal has the copy's times by now
  StoppingObserver observer(0);
  EXPECT_GT(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
}

TEST_F(ResumeTest, OtherDataUnderTheSameSizeAndTimeAreNoticed) {
  ASSERT_TRUE(stop_after(10));
  const fs::file_time_type time = fs::last_write_time(model_);
  const auto flip = [&](std::size_t at) {
    std::fstream file(model_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.close();
    fs::last_write_time(model_, time);
  };
  // Where no sample is: the time of change tells.
  const std::size_t size = fs::file_size(model_);
  flip(size / 2);  // between the 32nd and the 33rd of 64
  EXPECT_NE(refusal().find("was changed since"), std::string::npos);
  // Where one is, that tells, also to those who say that it is the same.
  flip(size - 100);
  options_.same_input = true;
  EXPECT_NE(refusal().find("other data"), std::string::npos);
}

TEST_F(ResumeTest, APartFileWithoutAJournalIsNotOurs) {
  ASSERT_TRUE(stop_after(20));
  fs::remove(output_ + ".part.journal");
  const Bytes part = read_file(output_ + ".part");
  for (const bool restart : {false, true}) {
    options_.restart = restart;
    StoppingObserver observer(0);
    try {
      finish(observer);
      ADD_FAILURE() << "overwritten";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::output_open);
      EXPECT_EQ(error.context().file, output_ + ".part");
    }
    EXPECT_TRUE(read_file(output_ + ".part") == part);
  }
}

TEST_F(ResumeTest, ADamagedJournalIsToldAndKept) {
  const std::string journal = output_ + ".part.journal";
  for (const std::size_t at : {3, 15, 40}) {  // magic, hash, binding
    ASSERT_TRUE(stop_after(20));
    Bytes bytes = read_file(journal);
    bytes[at] ^= std::byte{1};
    write_file(journal, bytes);
    StoppingObserver observer(0);
    EXPECT_EQ(finish(observer).resumed_bytes, 0u);
    EXPECT_EQ(read_file(output_), expected_);
    EXPECT_NE(observer.notes.find(journal + ".damaged"), std::string::npos) << observer.notes;
    EXPECT_EQ(read_file(journal + ".damaged"), bytes);
    EXPECT_FALSE(fs::exists(journal));
    fs::remove(journal + ".damaged");
    fs::remove(output_);
  }
}

TEST_F(ResumeTest, ADamagedRecordLosesNoOther) {
  const std::string journal = output_ + ".part.journal";
  ASSERT_TRUE(stop_after(20));
  Bytes bytes = read_file(journal);
  const journal::Contents whole = *journal::parse(bytes);
  ASSERT_GT(whole.records.size(), 5u);
  bytes[bytes.size() - 3 * 40] ^= std::byte{1};
  write_file(journal, bytes);
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes,
            journal::ranges_of(whole.records).size() -
                whole.records[whole.records.size() - 3].range.size());
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_NE(observer.notes.find(journal + ".damaged"), std::string::npos) << observer.notes;
}

// 0.4.0's speaks of other things about the input, and not of the files' sizes.
TEST_F(ResumeTest, AnotherVersionsJournalIsToldAndCanBeBegunAnew) {
  ASSERT_TRUE(stop_after(20));
  fs::resize_file(output_ + ".part", fs::file_size(output_ + ".part") - 4096);
  journal::Journal journal(output_ + ".part.journal");
  journal::Contents contents = *journal.load();
  contents.binding = R"({"imatrix":"","imatrix_hash":0,"inputs":[],"options":"","output_size":9,)"
                     R"("plan_hash":1,"version":"0.4.0"})";
  journal.replace(contents);
  EXPECT_NE(refusal().find("another version"), std::string::npos);
  options_.restart = true;
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
}

// What is left when a run ends in its first moments, before there is anything to go on with.
TEST_F(ResumeTest, ARunThatWasCutOffAtItsBeginningIsInNobodysWay) {
  ASSERT_TRUE(stop_after(20));
  journal::Journal journal(output_ + ".part.journal");
  journal.start(journal.load()->binding);
  options_.effort = Effort::fast;  // nothing was made, so that anything may be
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(observer.notes.find("resuming"), std::string::npos) << observer.notes;
}

TEST_F(ResumeTest, APartFileThatIsGoneIsTold) {
  ASSERT_TRUE(stop_after(20));
  fs::remove(output_ + ".part");
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_NE(observer.notes.find(output_ + ".part is gone"), std::string::npos) << observer.notes;
}

// In the note, on the line and in the plan; and not less than when it was stopped.
TEST_F(ResumeTest, HowMuchIsDoneIsMeasuredInOneWay) {
  options_.file_type = find_file_type("Q8_0");
  StoppingObserver first(20);
  options_.stop = &first.stop;
  EXPECT_THROW(quantize(options_, first), Error);
  const double planned = forecast(options_, {.estimate = false}).earlier.done_share;
  StoppingObserver second(0);
  finish(second);
  std::smatch told;
  ASSERT_TRUE(std::regex_search(second.notes, told, std::regex("resuming: ([0-9.]+) % done")));
  const auto share = [](std::uint64_t bytes, const Progress& progress) {
    return static_cast<double>(bytes) / static_cast<double>(progress.input_bytes);
  };
  const double resumed = share(second.last.input_bytes_skipped, second.last);
  EXPECT_NEAR(std::stod(told[1]), 100 * resumed, 0.05);
  EXPECT_DOUBLE_EQ(planned, resumed);
  EXPECT_GE(resumed, share(first.last.input_bytes_done, first.last));
}

// Cut off after the output got its name and before the journal went away.
TEST_F(ResumeTest, ACompleteOutputIsNotMadeTwice) {
  ASSERT_TRUE(stop_after(20));
  const std::string journal = output_ + ".part.journal";
  fs::copy_file(journal, folder_ / "saved");
  StoppingObserver observer(0);
  finish(observer);
  // The journal of the whole output, as it was just before its end.
  journal::Journal rest(folder_ / "saved");
  const journal::Contents contents = *rest.load();
  rest.resume(contents);
  IntervalSet done = journal::ranges_of(contents.records);
  while (const auto gap = done.first_gap({0, expected_.size()})) {
    rest.append({.range = *gap});
    done.add(*gap);
  }
  rest.commit();
  fs::copy_file(folder_ / "saved", journal);

  StoppingObserver again(0);
  const RunReport report = finish(again);
  EXPECT_EQ(report.read_bytes, 0u);
  EXPECT_NE(again.notes.find("complete already"), std::string::npos) << again.notes;
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_FALSE(fs::exists(journal));
  EXPECT_FALSE(fs::exists(output_ + ".part"));
}

TEST_F(ResumeTest, AnInputThatIsWrittenToWhileItIsReadIsAnError) {
  class Toucher : public Observer {
   public:
    explicit Toucher(std::string path) : path_(std::move(path)) {}
    void progress(const Progress&) override {
      fs::last_write_time(path_, fs::file_time_type::clock::now() + std::chrono::seconds(5));
    }

   private:
    std::string path_;
  };
  options_.imatrix = folder_ / "imatrix.dat";
  // One entry "a" with one call, one value and the calls behind it.
  const std::array<std::uint32_t, 6> one = {1, 1, 1, 1, 0x3f800000, 1};
  std::vector<std::byte> matrix(std::as_bytes(std::span(one)).begin(),
                                std::as_bytes(std::span(one)).end());
  matrix.insert(matrix.begin() + 8, std::byte{'a'});
  write_file(options_.imatrix, matrix);
  options_.restart = true;
  for (const std::string& input : {model_, options_.imatrix}) {
    Toucher toucher(input);
    try {
      quantize(options_, toucher);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_changed);
      EXPECT_EQ(error.context().file, input);
    }
    EXPECT_FALSE(fs::exists(output_));
  }
}

// All of the model is read before the first of its chunks is encoded.
TEST_F(ResumeTest, StopsThoughEverythingIsReadAlready) {
  constexpr std::uint64_t kRows = 16384;
  Bytes data(kColumns * kRows * 2);
  std::mt19937 random(1);
  for (std::size_t k = 0; k < data.size(); k += 2) {
    data[k] = static_cast<std::byte>(random());
    data[k + 1] = static_cast<std::byte>(0x3f | (random() & 0x80));
  }
  write_file(model_, GgufBuilder()
                         .string("general.architecture", "llama")
                         .tensor("a", {kColumns, kRows}, 30, data)
                         .build());
  options_.file_type = find_file_type("IQ3_S");
  options_.isa = Isa::portable;
  options_.threads = 1;
  options_.ignore_imatrix_rules = true;
  class StopsAtOnce : public Observer {
   public:
    void progress(const Progress&) override { stop = true; }
    std::atomic<bool> stop = false;
  } observer;
  options_.stop = &observer.stop;
  try {
    quantize(options_, observer);
    ADD_FAILURE() << "ran to its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(ResumeTest, CheckingWhatIsThereCanBeStopped) {
  ASSERT_TRUE(stop_after(20));
  const Bytes journal = read_file(output_ + ".part.journal");
  options_.verify_resume = true;
  std::atomic<bool> stop = true;
  options_.stop = &stop;
  StoppingObserver observer(0);
  try {
    quantize(options_, observer);
    ADD_FAILURE() << "ran to its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
  EXPECT_EQ(observer.notes.find("resuming"), std::string::npos) << observer.notes;
  EXPECT_EQ(read_file(output_ + ".part.journal"), journal);
}

TEST_F(ResumeTest, TwoRunsOnOneOutputAreNotPossible) {
  class Second : public Observer {
   public:
    explicit Second(QuantizeOptions options) : options_(std::move(options)) {}
    void progress(const Progress&) override {
      if (!message.empty()) return;
      try {
        Observer silent;
        quantize(options_, silent);
        message = "not refused";
      } catch (const Error& error) {
        message = error.what();
      }
    }
    std::string message;

   private:
    QuantizeOptions options_;
  } second(options_);
  quantize(options_, second);
  EXPECT_NE(second.message.find("another run"), std::string::npos) << second.message;
  EXPECT_EQ(read_file(output_), expected_);
}

}  // namespace
}  // namespace sluice
