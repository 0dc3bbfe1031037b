#include "io/write_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>

namespace sluice::io {
namespace {

using std::chrono::milliseconds;

/// Writes of which at most so many are under way at once.
class Writes {
 public:
  std::function<void()> one(milliseconds time) {
    return [this, time] {
      const int now = ++now_;
      int most = most_;
      while (now > most && !most_.compare_exchange_weak(most, now)) {
      }
      std::this_thread::sleep_for(time);
      --now_;
      ++done_;
    };
  }

  /// Since the last call.
  int most() { return most_.exchange(0); }
  int done() const { return done_; }

 private:
  std::atomic<int> now_ = 0;
  std::atomic<int> most_ = 0;
  std::atomic<int> done_ = 0;
};

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

TEST(WriteTeam, SeveralAreUnderWayOnAFastDisk) {
  Writes writes;
  WriteTeam team;
  // Longer than threads take to start, on a busy machine too.
  for (int i = 0; i < 12; ++i) team.start(kGiB, writes.one(milliseconds(50)));
  team.finish();
  EXPECT_EQ(writes.done(), 12);
  EXPECT_EQ(writes.most(), static_cast<int>(WriteTeam::kMost));
}

TEST(WriteTeam, OneIsUnderWayOnASlowDisk) {
  Writes writes;
  WriteTeam team;
  team.start(1, writes.one(milliseconds(150)));  // tells how slow it is
  team.finish();
  writes.most();
  for (int i = 0; i < 4; ++i) team.start(1, writes.one(milliseconds(5)));
  team.finish();
  EXPECT_EQ(writes.done(), 5);
  EXPECT_EQ(writes.most(), 1);
}

TEST(WriteTeam, OneCanBeWaitedFor) {
  WriteTeam team;
  EXPECT_FALSE(team.wait_for_one());
  std::atomic<bool> done = false;
  team.start(1, [&] {
    std::this_thread::sleep_for(milliseconds(5));
    done = true;
  });
  while (team.wait_for_one()) {
  }
  EXPECT_TRUE(done);
}

TEST(WriteTeam, TheFirstErrorIsThrownFromThenOn) {
  WriteTeam team;
  team.start(1, [] { throw std::runtime_error("full"); });
  team.wait();
  EXPECT_THROW(team.start(1, [] {}), std::runtime_error);
  EXPECT_THROW(team.finish(), std::runtime_error);
}

}  // namespace
}  // namespace sluice::io
