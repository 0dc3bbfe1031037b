#pragma once

#include <mutex>

#include "base/clocks.h"
#include "sluice/observer.h"

namespace sluice::engine {

/// What a run waits for, all the time. While every worker has a chunk, the run waits for cores.
/// While one has none: if the reader waits for memory and nothing is being read or written, more
/// memory would help; else the disk is what is slow.
class Balance {
 public:
  explicit Balance(int workers) : workers_(workers) {}

  void worker(int change) { update(busy_, change); }
  void disk(int change) { update(disk_, change); }
  void waiting_for_budget(int change) { update(starved_, change); }

  struct Shares {
    double disk_s = 0;
    double cores_s = 0;
    double budget_s = 0;
  };
  Shares shares() {
    const std::lock_guard lock(mutex_);
    advance();
    return shares_;
  }

  /// What it waits for now.
  Limit limit() {
    const std::lock_guard lock(mutex_);
    return limit_now();
  }

 private:
  Limit limit_now() const {
    if (busy_ >= workers_) return Limit::cores;
    return starved_ > 0 && disk_ == 0 ? Limit::budget : Limit::disk;
  }

  void advance() {
    const double passed = since_.seconds();
    since_ = Stopwatch();
    switch (limit_now()) {
      case Limit::cores:
        shares_.cores_s += passed;
        break;
      case Limit::budget:
        shares_.budget_s += passed;
        break;
      case Limit::disk:
        shares_.disk_s += passed;
        break;
    }
  }

  void update(int& count, int change) {
    const std::lock_guard lock(mutex_);
    advance();
    count += change;
  }

  const int workers_;
  std::mutex mutex_;
  int busy_ = 0;
  int disk_ = 0;
  int starved_ = 0;
  Stopwatch since_;
  Shares shares_;
};

}  // namespace sluice::engine
