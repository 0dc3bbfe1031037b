// Runs that make several files and are stopped, or cut off while the files get their names.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "sluice/error.h"
#include "sluice/quantize.h"
#include "support/gguf_builder.h"
#include "support/random_bf16.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

using Files = std::map<std::string, Bytes>;  // by name

Files files_in(const std::string& folder) {
  Files files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename()] = read_file(entry.path());
  }
  return files;
}

/// Stops the run after some tensors.
class StopAfterTensors : public Observer {
 public:
  explicit StopAfterTensors(std::size_t tensors) : tensors_(tensors) {}
  void note(std::string_view text) override { notes += std::string(text) + "\n"; }
  void tensor_done(const TensorReport&, std::size_t, std::size_t) override {
    if (++done_ == tensors_) stop = true;
    if (!in_the_way.empty()) fs::create_directory(in_the_way);
  }

  std::atomic<bool> stop = false;
  std::string in_the_way;  // a folder that appears once the run has begun
  std::string notes;

 private:
  std::size_t tensors_;
  std::size_t done_ = 0;
};

// Four parts of some MB, of a model whose tensors are of all sizes.
class SplitResume : public testing::Test {
 protected:
  SplitResume() {
    for (const std::string name : {"whole", "out", "saved"}) fs::create_directory(folder_ / name);
    options_.input = folder_ / "model.gguf";
    options_.split.max_tensors = 11;
    options_.file_type = find_file_type("Q4_0");
    options_.pure = true;
    options_.threads = 2;
    options_.memory = 96u << 20;
    options_.io = IoMode::plain;
    options_.checkpoint_s = 0;  // after every chunk
    write_model();
    options_.output = folder_ / "whole/m.gguf";
    Observer silent;
    quantize(options_, silent);
    expected_ = files_in(folder_ / "whole");
    options_.output = folder_ / "out/m.gguf";
  }

  void write_model() {
    std::mt19937 random(3);
    GgufBuilder builder;
    builder.string("general.architecture", "llama").u32("llama.block_count", 40);
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t rows = i % 7 == 3 ? 3 : 100 + random() % 700;
      builder.tensor("blk." + std::to_string(i) + ".ffn_up.weight", {1024, rows}, 30,
                     testing_support::random_bf16(1024 * rows, random()));
    }
    write_file(options_.input, builder.build());
  }

  bool stop_after(std::size_t tensors) {
    StopAfterTensors observer(tensors);
    options_.stop = &observer.stop;
    try {
      quantize(options_, observer);
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::interrupted) << error.what();
      return true;
    }
  }

  RunReport finish(const std::string& in_the_way = {}) {
    options_.stop = nullptr;
    StopAfterTensors observer(0);
    observer.in_the_way = in_the_way;
    const RunReport report = quantize(options_, observer);
    notes_ = observer.notes;
    return report;
  }

  void expect_finished() {
    const Files made = files_in(out());
    EXPECT_TRUE(made == expected_) << made.size() << " files";
  }

  std::string refusal(const std::string& file) {
    try {
      finish();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::resume_refused) << error.what();
      EXPECT_EQ(error.context().file, file);
      EXPECT_NE(error.context().cure.find("--restart"), std::string::npos);
      return error.what();
    }
    return "not refused";
  }

  // All is made, and the first that should get its name, which is the last part, cannot.
  void make_all_but_names() {
    const std::string last = out() + "/" + expected_.rbegin()->first;
    EXPECT_THROW(finish(last), Error);
    fs::remove(last);
    ASSERT_EQ(files_in(out()).size(), kParts + 1) << "all parts, and the journal";
  }

  std::string out() const { return folder_ / "out"; }
  std::string work(std::size_t part) const {
    return out() + "/m.gguf.part" + (part == 0 ? "" : "-0000" + std::to_string(part + 1));
  }
  std::string name(std::size_t part) const {
    return out() + "/" + std::next(expected_.begin(), static_cast<std::ptrdiff_t>(part))->first;
  }

  static constexpr std::size_t kParts = 4;
  const TempFolder folder_;
  QuantizeOptions options_;
  Files expected_;
  std::string notes_;
};

TEST_F(SplitResume, StoppedAgainAndAgain) {
  ASSERT_EQ(expected_.size(), kParts);
  std::mt19937 random(7);
  int stops = 0;
  for (; stop_after(4); ++stops) {
    ASSERT_LT(stops, 40) << "it does not get on";
    EXPECT_FALSE(fs::exists(name(0)));
    EXPECT_TRUE(fs::exists(work(0)));
    EXPECT_TRUE(fs::exists(work(0) + ".journal"));
    options_.threads = 1 + static_cast<int>(random() % 3);
    options_.memory = std::uint64_t{80 + random() % 60} << 20;
    options_.spindle = random() % 2 == 0 ? Spindle::shared : Spindle::separate;
  }
  EXPECT_GE(stops, 3);
  expect_finished();
}

// Every state in which a run can be cut off while its files get their names.
TEST_F(SplitResume, CutOffBetweenTwoNames) {
  make_all_but_names();
  fs::copy(out(), folder_ / "saved", fs::copy_options::recursive);
  for (const bool checked : {false, true}) {
    for (std::size_t named = 0; named <= kParts; ++named) {
      SCOPED_TRACE(named);
      fs::remove_all(out());
      fs::copy(folder_ / "saved", out(), fs::copy_options::recursive);
      for (std::size_t k = 0; k < named; ++k) {
        fs::rename(work(kParts - 1 - k), name(kParts - 1 - k));
      }
      options_.verify_resume = checked;
      const RunReport report = finish();
      EXPECT_EQ(report.read_bytes, 0u) << "nothing is left to make";
      EXPECT_EQ(report.parts.size(), kParts);
      EXPECT_NE(notes_.find(named == kParts ? "complete already" : "100.0 % done"),
                std::string::npos)
          << notes_;
      expect_finished();
    }
  }
}

// A file that has its name, and damage, is still made anew.
TEST_F(SplitResume, CutOffBetweenTwoNamesAndDamaged) {
  make_all_but_names();
  fs::rename(work(3), name(3));
  Bytes bytes = read_file(name(3));
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_file(name(3), bytes);
  options_.verify_resume = true;
  EXPECT_GT(finish().read_bytes, 0u);
  EXPECT_NE(notes_.find("made again"), std::string::npos) << notes_;
  expect_finished();
}

TEST_F(SplitResume, AnOlderSetIsNeverMixedWithTheNew) {
  const Bytes older(100, std::byte{7});
  for (const auto& [file, bytes] : expected_) write_file(out() + "/" + file, older);
  ASSERT_TRUE(stop_after(20));
  for (std::size_t i = 0; i < kParts; ++i) {
    EXPECT_EQ(read_file(name(i)), older) << "untouched until all is whole";
  }
  fs::remove(name(1));
  EXPECT_THROW(finish(name(1)), Error);
  EXPECT_FALSE(fs::exists(name(0))) << "it would lead to parts of the new set";
  EXPECT_EQ(read_file(name(3)), expected_.rbegin()->second);
  fs::remove(name(1));
  finish();
  expect_finished();
}

TEST_F(SplitResume, APartThatIsMissingOrOfAnotherSizeIsNamed) {
  ASSERT_TRUE(stop_after(20));
  fs::rename(work(2), folder_ / "aside");
  EXPECT_NE(refusal(work(2)).find("is not there"), std::string::npos);
  fs::copy_file(folder_ / "aside", work(2));
  fs::resize_file(work(2), fs::file_size(work(2)) - 1);
  refusal(work(2));
  fs::rename(folder_ / "aside", work(2));
  finish();
  expect_finished();
}

// Also when all is to begin anew: nothing says that it is ours.
TEST_F(SplitResume, AForeignPartIsNotOverwritten) {
  const Bytes foreign(1000, std::byte{7});
  write_file(work(kParts), foreign);  // in nobody's way
  for (const bool begun : {false, true}) {
    if (begun) {
      ASSERT_TRUE(stop_after(20));
    }
    for (const std::size_t part : {1, 3}) {
      write_file(work(part), foreign);
      for (const bool restart : {false, true}) {
        options_.restart = restart;
        try {
          finish();
          ADD_FAILURE() << "overwritten " << part;
        } catch (const Error& error) {
          EXPECT_EQ(error.context().file, work(part)) << error.what();
          EXPECT_EQ(exit_status(error.code()), 4);
        }
        EXPECT_EQ(read_file(work(part)), foreign);
      }
      fs::remove(work(part));
      options_.restart = false;
    }
  }
  options_.restart = true;
  finish();
  EXPECT_EQ(read_file(work(kParts)), foreign);
  fs::remove(work(kParts));
  expect_finished();
}

// An older file under a part's own name is no part that was made.
TEST_F(SplitResume, AnOlderFileIsNoSubstituteForAMissingPart) {
  ASSERT_TRUE(stop_after(20));
  write_file(name(2), Bytes(fs::file_size(work(2)), std::byte{7}));
  fs::remove(work(2));
  refusal(work(2));
  options_.restart = true;
  finish();
  expect_finished();
}

TEST_F(SplitResume, OtherPartsAreAnotherOutput) {
  ASSERT_TRUE(stop_after(20));
  options_.split = {};
  EXPECT_NE(refusal(work(0)).find("split at 11 tensors; now"), std::string::npos);
  options_.split.max_bytes = 3'000'000;
  EXPECT_NE(refusal(work(0)).find("now"), std::string::npos);
  options_.split = {.max_tensors = 30};
  options_.restart = true;
  EXPECT_EQ(finish().parts.size(), 2u);
  EXPECT_EQ(files_in(out()).size(), 2u) << "the four half-made parts are gone";
}

// Whatever the parts are, and whichever of its names the output is called.
TEST_F(SplitResume, TwoRunsOnOneOutputAreNotPossible) {
  class Second : public Observer {
   public:
    explicit Second(QuantizeOptions options) : options_(std::move(options)) {}
    void progress(const Progress&) override {
      if (tried_ == 3) return;
      options_.split = std::vector<SplitOptions>{{}, {.max_tensors = 5}, {.keep = true}}[tried_];
      if (tried_ > 0) options_.output.resize(options_.output.size() - (tried_ == 1 ? 5 : 0));
      ++tried_;
      try {
        Observer silent;
        quantize(options_, silent);
        ADD_FAILURE() << "not refused";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::output_open) << error.what();
      }
    }

   private:
    QuantizeOptions options_;
    std::size_t tried_ = 0;
  } second(options_);
  quantize(options_, second);
  expect_finished();
}

}  // namespace
}  // namespace sluice
