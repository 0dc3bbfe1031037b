// The engine, with works of no other use: units of several ranges, in any order, of which one may
// need another's result.

#include "engine/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <thread>

#include "sluice/error.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice::engine {
namespace {

using testing_support::Bytes;
using testing_support::TempFolder;
using testing_support::write_file;

constexpr std::uint64_t kPiece = 10000;  // no multiple of a page
constexpr std::uint64_t kPieces = 60;

/// The sum of all bytes.
std::uint64_t sum_of(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0},
                         [](std::uint64_t sum, std::byte b) { return sum + std::uint64_t(b); });
}

/// A unit is a piece of one file and two of another, and makes 8 bytes: their sum, and the result
/// of the unit before it where `chained`.
class SumWork : public Producer, public Operator, public Consumer {
 public:
  explicit SumWork(bool chained) : chained_(chained), results_(kPieces) {}

  std::optional<Unit> next(std::stop_token ended) override {
    if (next_ == kPieces) return std::nullopt;
    if (chained_) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, ended, [&] { return finished_ == next_; })) return std::nullopt;
    }
    Unit unit;
    unit.inputs = {{0, next_ * kPiece, kPiece},
                   {1, (kPieces - 1 - next_) * kPiece, kPiece / 2},
                   {1, next_ * kPiece, kPiece / 3}};
    unit.room = sizeof(std::uint64_t);
    unit.first_element = next_++;
    unit.elements = 1;
    return unit;
  }

  void run(Task& task, int worker) override {
    {
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(busy_.insert(worker).second) << "two at a time as one worker";
    }
    if (task.unit.first_element == fail_at) throw Error(ErrorCode::input_value, "as told", {});
    std::uint64_t sum =
        chained_ && task.unit.first_element > 0 ? results_[task.unit.first_element - 1] : 0;
    for (const std::span<const std::byte> input : task.inputs) sum += sum_of(input);
    std::memcpy(task.room.data(), &sum, sizeof sum);
    const std::uint64_t at = task.unit.first_element * sizeof sum;
    task.results = {{.output = {at, at + sizeof sum}, .bytes = task.room}};
    const std::lock_guard lock(mutex_);
    busy_.erase(worker);
  }

  void take(const Task& task) override {
    ASSERT_EQ(task.results.size(), 1u);
    const Result& result = task.results.front();
    EXPECT_EQ(result.bytes.size(), result.output.size());
    const std::lock_guard lock(mutex_);
    std::memcpy(&results_[task.unit.first_element], result.bytes.data(), sizeof(std::uint64_t));
    ++finished_;
    changed_.notify_all();
  }
  void settle() override { ++settled; }
  void finish() override { finished = true; }
  void save() noexcept override { saved = true; }

  const std::vector<std::uint64_t>& results() const { return results_; }

  std::uint64_t fail_at = kPieces;
  std::uint64_t settled = 0;
  bool finished = false;
  bool saved = false;

 private:
  const bool chained_;
  std::uint64_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<int> busy_;
  std::uint64_t finished_ = 0;
  std::vector<std::uint64_t> results_;
};

class StreamTest : public testing::TestWithParam<IoMode> {
 protected:
  StreamTest() {
    for (const char* name : {"a", "b"}) {
      Bytes bytes(kPieces * kPiece);
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte((i * 7 + *name) >> 3);
      write_file(folder_ / name, bytes);
      files_.push_back(io::File::open_input(folder_ / name));
      contents_.push_back(std::move(bytes));
    }
  }

  std::uint64_t expected(std::uint64_t i) const {
    const auto piece = [&](std::size_t file, std::uint64_t no, std::uint64_t size) {
      return sum_of(std::span(contents_[file]).subspan(no * kPiece, size));
    };
    return piece(0, i, kPiece) + piece(1, kPieces - 1 - i, kPiece / 2) + piece(1, i, kPiece / 3);
  }

  void run(SumWork& work, std::uint64_t slots = 4) {
    const MemoryNeeds needs{.threads = 3, .smallest_unit = 2 * kPiece, .inputs = 3};
    MemoryPlan memory = plan_memory(needs, least_memory(needs, 0), 0);
    memory.slots = slots;
    Turns turns(false);
    Observer silent;
    Monitor monitor(silent, 3, kPieces * kPiece, trace_);
    const io::OpenedSource opened = io::open_source(GetParam(), io::pointers_to(files_));
    stream({work, work, &work}, *opened.source, memory, {.threads = 3, .stop = stop_}, turns,
           monitor);
    read_bytes_ = monitor.read_bytes();
  }

  const TempFolder folder_;
  std::vector<Bytes> contents_;
  std::vector<io::File> files_;
  std::string trace_;
  const std::atomic<bool>* stop_ = nullptr;
  std::uint64_t read_bytes_ = 0;
};

TEST_P(StreamTest, AUnitHasSeveralRangesOfSeveralFiles) {
  SumWork work(false);
  run(work);
  for (std::uint64_t i = 0; i < kPieces; ++i) EXPECT_EQ(work.results()[i], expected(i)) << i;
  EXPECT_EQ(read_bytes_, kPieces * (kPiece + kPiece / 2 + kPiece / 3));
  EXPECT_EQ(work.settled, kPieces);
  EXPECT_TRUE(work.finished);
  EXPECT_FALSE(work.saved);
}

TEST_P(StreamTest, AUnitMayNeedTheResultOfAnother) {
  for (const std::uint64_t slots : {1, 4}) {
    SumWork work(true);
    run(work, slots);
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < kPieces; ++i) {
      sum += expected(i);
      ASSERT_EQ(work.results()[i], sum) << i;
    }
  }
}

// Nobody waits any more for the result of a unit that failed.
TEST_P(StreamTest, AnErrorEndsAllThatWait) {
  for (const bool chained : {false, true}) {
    SumWork work(chained);
    work.fail_at = 20;
    try {
      run(work);
      FAIL() << "must fail";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_value);
    }
    EXPECT_TRUE(work.saved);
    EXPECT_FALSE(work.finished);
  }
}

TEST_P(StreamTest, AStopIsAnError) {
  const std::atomic<bool> stop = true;
  stop_ = &stop;
  SumWork work(false);
  try {
    run(work);
    FAIL() << "must stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
  EXPECT_EQ(read_bytes_, 0u);
}

TEST_P(StreamTest, TheTraceHasEveryReadAndUnit) {
  trace_ = folder_ / "trace.json";
  SumWork work(false);
  run(work);
  std::ifstream file(trace_);
  const auto events = nlohmann::json::parse(file);
  std::map<std::string, std::uint64_t> counts;
  for (const auto& event : events) {
    if (event.contains("ph")) {
      ++counts[event["ph"].get<std::string>() + " " + event["name"].get<std::string>()];
    }
  }
  EXPECT_EQ(counts["b read"], 3 * kPieces);
  EXPECT_EQ(counts["e read"], 3 * kPieces);
  EXPECT_EQ(counts["X chunk"], kPieces);
}

INSTANTIATE_TEST_SUITE_P(Modes, StreamTest,
                         testing::Values(IoMode::async, IoMode::mmap, IoMode::plain),
                         [](const auto& test) {
                           return test.param == IoMode::async  ? "async"
                                  : test.param == IoMode::mmap ? "mmap"
                                                               : "read";
                         });

/// Units whose results are their inputs, of which the consumer takes every second one on the worker.
class PassingWork : public io::Source, public Producer, public Operator, public Consumer {
 public:
  std::string_view name() const override { return "memory"; }
  void read(const io::ReadRange& range, std::span<std::byte> buffer, io::ReadDone done) override {
    done(buffer.first(range.size), nullptr);
  }
  void fill(const io::ReadRange& range, std::span<const std::byte> bytes) override {
    EXPECT_EQ(bytes.size(), range.size);
    note(range.offset, 'f');
  }
  void check(const io::ReadRange& range) const override { note(range.offset, 'c'); }
  void release(const io::ReadRange& range) override { note(range.offset, 'r'); }

  std::optional<Unit> next(std::stop_token) override {
    if (next_ == kPieces) return std::nullopt;
    Unit unit;
    unit.inputs = {{0, next_++, 1}};
    return unit;
  }
  void run(Task& task, int) override { task.results = {{.bytes = task.inputs[0]}}; }
  void prepare(Task& task) override { task.results[0].taken = task.unit.inputs[0].offset % 2 == 0; }
  void take(const Task& task) override { note(task.unit.inputs[0].offset, 't'); }
  void settle() override {}
  void finish() override {}
  void save() noexcept override {}

  /// What became of a unit, in order.
  std::string story_of(std::uint64_t unit) { return stories_[unit]; }

 private:
  void note(std::uint64_t unit, char what) const {
    const std::lock_guard lock(mutex_);
    stories_[unit] += what;
  }

  std::uint64_t next_ = 0;
  mutable std::mutex mutex_;
  mutable std::map<std::uint64_t, std::string> stories_;
};

TEST(Stream, AWorkerReleasesWhatNobodyNeedsAnyMore) {
  const MemoryNeeds needs{.threads = 3, .smallest_unit = 4096, .inputs = 1};
  const MemoryPlan memory = plan_memory(needs, least_memory(needs, 0), 0);
  Turns turns(false);
  Observer silent;
  Monitor monitor(silent, 3, kPieces, "");
  PassingWork work;
  stream({work, work, &work}, work, memory, {.threads = 3}, turns, monitor);
  for (std::uint64_t i = 0; i < kPieces; ++i) {
    EXPECT_EQ(work.story_of(i), i % 2 == 0 ? "fcrt" : "fctr") << i;
  }
}

}  // namespace
}  // namespace sluice::engine
