// The team of oneTBB's threads: every task once, none of two at a time by one worker, errors, stop.

#include "engine/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "sluice/error.h"

namespace sluice::engine {
namespace {

TEST(TbbTeam, DoesEachTaskOnceByAWorkerThatDoesNoOther) {
  TbbTeam team(3);
  ASSERT_EQ(team.threads(), 3);
  std::vector<std::atomic<int>> done(500);
  std::vector<std::atomic<int>> busy(3);
  team.run(500, [&](std::size_t task, int worker) {
    auto& mine = busy.at(static_cast<std::size_t>(worker));
    EXPECT_EQ(mine++, 0);
    ++done[task];
    --mine;
  });
  for (const auto& times : done) EXPECT_EQ(times, 1);
}

TEST(TbbTeam, ThrowsWhatATaskThrows) {
  TbbTeam team(2);
  const auto fail = [](std::size_t task, int) {
    if (task == 7) throw std::runtime_error("seven");
  };
  EXPECT_THROW(team.run(20, fail), std::runtime_error);
}

TEST(TbbTeam, StopsBeforeTheNextTask) {
  std::atomic<bool> stop = false;
  TbbTeam team(1, &stop);
  int done = 0;
  try {
    team.run(20, [&](std::size_t, int) { stop = ++done == 3; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace sluice::engine
