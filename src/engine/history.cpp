#include "engine/history.h"

#include <cstddef>

namespace sluice::engine {
namespace {

constexpr std::size_t kMostSamples = 1024;

}  // namespace

bool History::due(double now_s) const {
  return samples_.empty() || now_s - samples_.back().time_s >= every_s_;
}

void History::add(const Sample& sample) {
  samples_.push_back(sample);
  if (samples_.size() < kMostSamples) return;
  for (std::size_t i = 0; i < kMostSamples / 2; ++i) samples_[i] = samples_[2 * i + 1];
  samples_.resize(kMostSamples / 2);
  every_s_ *= 2;
}

std::vector<Sample> History::samples() const {
  std::vector<Sample> all = samples_;
  Sample before;
  for (Sample& sample : all) {
    const Sample since_start = sample;
    sample.disk -= before.disk;
    sample.cores -= before.cores;
    sample.budget -= before.budget;
    before = since_start;
    sample.limit = largest_wait(sample.disk, sample.cores, sample.budget);
    const double sum = sample.disk + sample.cores + sample.budget;
    if (sum <= 0) continue;
    sample.disk /= sum;
    sample.cores /= sum;
    sample.budget /= sum;
  }
  return all;
}

}  // namespace sluice::engine
