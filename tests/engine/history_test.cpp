// A run's samples: shares of the time between two, however many there were.

#include "engine/history.h"

#include <gtest/gtest.h>

namespace sluice::engine {
namespace {

TEST(History, SharesAreOfTheTimeSinceTheSampleBefore) {
  History history;
  history.add({.time_s = 1, .disk = 1});
  history.add({.time_s = 2, .disk = 1.25, .cores = 0.75});
  history.add({.time_s = 4, .disk = 1.25, .cores = 1.25, .budget = 1.5});
  const std::vector<Sample> samples = history.samples();
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_DOUBLE_EQ(samples[0].disk, 1);
  EXPECT_EQ(samples[0].limit, Limit::disk);
  EXPECT_DOUBLE_EQ(samples[1].disk, 0.25);
  EXPECT_DOUBLE_EQ(samples[1].cores, 0.75);
  EXPECT_EQ(samples[1].limit, Limit::cores);
  EXPECT_DOUBLE_EQ(samples[2].disk, 0);
  EXPECT_DOUBLE_EQ(samples[2].cores, 0.25);
  EXPECT_DOUBLE_EQ(samples[2].budget, 0.75);
  EXPECT_EQ(samples[2].limit, Limit::budget);
}

// Those that are left speak for those that went.
TEST(History, OfManySamplesNoTimeIsLost) {
  History history;
  double disk = 0, cores = 0, time = 0;
  for (int i = 0; i < 5000; ++i) {
    (i % 2 == 0 ? disk : cores) += 1;
    time += 1;
    if (history.due(time)) history.add({.time_s = time, .disk = disk, .cores = cores});
  }
  const std::vector<Sample> samples = history.samples();
  EXPECT_LT(samples.size(), 1024u);
  EXPECT_GT(samples.size(), 255u);
  double before = 0, told = 0;
  for (const Sample& sample : samples) {
    EXPECT_NEAR(sample.disk + sample.cores + sample.budget, 1, 1e-12);
    told += sample.disk * (sample.time_s - before);
    before = sample.time_s;
  }
  EXPECT_NEAR(told, before / 2, 1);
}

}  // namespace
}  // namespace sluice::engine
