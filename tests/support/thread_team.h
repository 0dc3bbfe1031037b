#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "base/team.h"

namespace sluice {

/// A team of threads that are started for each run; with one, the caller's alone.
class ThreadTeam final : public Team {
 public:
  explicit ThreadTeam(int threads = 1) : threads_(threads) {}

  int threads() const override { return threads_; }
  void run(std::size_t count,
           const std::function<void(std::size_t task, int worker)>& task) override {
    std::atomic<std::size_t> next = 0;
    const auto work = [&](int worker) {
      for (std::size_t i = next++; i < count; i = next++) task(i, worker);
    };
    std::vector<std::thread> others;
    for (int worker = 1; worker < threads_; ++worker) others.emplace_back(work, worker);
    work(0);
    for (std::thread& other : others) other.join();
  }

 private:
  int threads_;
};

}  // namespace sluice
