#include "engine/turns.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace sluice::engine {
namespace {

using std::chrono::milliseconds;

/// Begins reads until the next would wait for `end`, and tells how many. On a busy machine a thread may
/// take a while to start.
std::size_t reads_at_once(Turns& turns) {
  std::vector<Stopwatch> reads;
  for (;;) {
    std::future<Stopwatch> next =
        std::async(std::launch::async, [&] { return turns.begin_read(); });
    const bool begun = next.wait_for(milliseconds(300)) == std::future_status::ready;
    if (begun) {
      reads.push_back(next.get());
      continue;
    }
    const std::size_t count = reads.size();
    for (const Stopwatch& read : reads) turns.end_read(read);
    turns.end_read(next.get());
    return count;
  }
}

void read(Turns& turns, int count, milliseconds time) {
  for (int i = 0; i < count; ++i) {
    const Stopwatch read = turns.begin_read();
    std::this_thread::sleep_for(time);
    turns.end_read(read);
  }
}

TEST(Turns, MoreReadsAreUnderWayWhereTheyAreFast) {
  Turns turns(false);
  read(turns, 3, milliseconds(0));
  EXPECT_GT(reads_at_once(turns), 4u);
  read(turns, 20, milliseconds(25));
  EXPECT_EQ(reads_at_once(turns), 4u);
}

TEST(Turns, FourReadsAreUnderWayOnASharedSpindle) {
  Turns turns(true);
  read(turns, 3, milliseconds(0));
  EXPECT_EQ(reads_at_once(turns), 4u);
}

}  // namespace
}  // namespace sluice::engine
