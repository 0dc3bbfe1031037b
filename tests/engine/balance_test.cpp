// What a run waits for: the rule, with a clock of its own, and runs that are bound by one thing.

#include "engine/balance.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

#include "engine/stream.h"

namespace sluice::engine {
namespace {

struct Timed {
  double time = 0;
  Balance balance{2, [this] { return time; }};
};

TEST(Balance, TimeGoesToWhatAnIdleWorkerWaitsFor) {
  Timed timed;
  auto& [time, balance] = timed;
  balance.disk(+1);
  time += 1;  // the first read
  balance.worker(+1);
  time += 2;  // one worker has something, the next chunk is being read
  balance.worker(+1);
  time += 4;  // both have
  balance.disk(-1);
  time += 8;  // both have, the disk rests
  balance.waiting_for_budget(+1);
  time += 16;  // both have, and more memory would not help
  balance.worker(-1);
  time += 32;  // one has none, and nothing may be read
  balance.disk(+1);
  time += 64;  // but something is being written, which will give memory back
  const Balance::Shares shares = balance.shares();
  EXPECT_DOUBLE_EQ(shares.disk_s, 1 + 2 + 64);
  EXPECT_DOUBLE_EQ(shares.cores_s, 4 + 8 + 16);
  EXPECT_DOUBLE_EQ(shares.budget_s, 32);
}

// At the end, one worker has the last chunk and the other none, but there is nothing to read.
TEST(Balance, ADiskThatRestsIsNotWaitedFor) {
  Timed timed;
  auto& [time, balance] = timed;
  balance.worker(+1);
  time += 3;
  EXPECT_DOUBLE_EQ(balance.shares().cores_s, 3);
  EXPECT_DOUBLE_EQ(balance.shares().disk_s, 0);
}

/// A disk and a computation that take as long as they are told to.
class TimedRun : public io::Source, public Producer, public Operator {
 public:
  std::chrono::milliseconds read_time{0};
  std::chrono::milliseconds work_time{0};

  RunReport run(std::size_t slots) {
    const MemoryNeeds needs{.threads = 2, .smallest_unit = kBytes, .inputs = 1};
    MemoryPlan memory = plan_memory(needs, least_memory(needs, 0), 0);
    memory.slots = slots;
    Turns turns(false);
    Observer silent;
    Monitor monitor(silent, 2, kUnits * kBytes, "");
    stream({*this, *this}, *this, memory, {.threads = 2}, turns, monitor);
    RunReport report;
    monitor.report(report);
    return report;
  }

  std::string_view name() const override { return "timed"; }
  void read(const io::ReadRange& range, std::span<std::byte> buffer, io::ReadDone done) override {
    std::this_thread::sleep_for(read_time);
    done(buffer.first(range.size), nullptr);
  }
  void release(const io::ReadRange&) override {}

  std::optional<Unit> next(std::stop_token) override {
    if (next_ == kUnits) return std::nullopt;
    Unit unit;
    unit.inputs = {{0, next_++ * kBytes, kBytes}};
    return unit;
  }
  void run(Task&, int) override { std::this_thread::sleep_for(work_time); }

 private:
  static constexpr std::uint64_t kBytes = 1000;
  static constexpr std::uint64_t kUnits = 40;

  std::uint64_t next_ = 0;
};

// The larger part of the time, and of each of the samples' shares together.
void expect_limit(const RunReport& report, Limit limit) {
  EXPECT_EQ(largest_wait(report.wait_disk_s, report.wait_cores_s, report.wait_budget_s), limit)
      << report.wait_disk_s << " " << report.wait_cores_s << " " << report.wait_budget_s;
  ASSERT_GT(report.samples.size(), 1u);
  std::size_t agree = 0;
  for (const Sample& sample : report.samples) {
    EXPECT_NEAR(sample.disk + sample.cores + sample.budget, 1, 1e-9);
    agree += sample.limit == limit ? 1 : 0;
  }
  EXPECT_GT(2 * agree, report.samples.size());
}

TEST(Limit, OfASlowDiskIsTheDisk) {
  TimedRun slow;
  slow.read_time = std::chrono::milliseconds(10);
  expect_limit(slow.run(8), Limit::disk);
}

// Each sample is taken when a worker has just given its chunk back, and the other one too.
TEST(Limit, OfSlowWorkIsTheCores) {
  TimedRun slow;
  slow.work_time = std::chrono::milliseconds(20);
  expect_limit(slow.run(8), Limit::cores);
}

TEST(Limit, OfMemoryForOneChunkIsTheBudget) {
  TimedRun slow;
  slow.work_time = std::chrono::milliseconds(10);
  expect_limit(slow.run(1), Limit::budget);
}

}  // namespace
}  // namespace sluice::engine
