#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "base/clocks.h"
#include "sluice/observer.h"

namespace sluice::engine {

/// What a run waits for, all the time. While every worker has a chunk, the run waits for cores.
/// While one has none: if something is being read or written, the disk is what is slow; if the
/// reader waits for memory, more of that would help; else the last chunks are being worked on, or
/// one on whose result the next depends.
class Balance {
 public:
  /// Tells seconds, from any point on.
  using Clock = std::function<double()>;
  static Clock from_now() {
    return [watch = Stopwatch()] { return watch.seconds(); };
  }

  explicit Balance(int workers, Clock clock = from_now())
      : workers_(workers), clock_(std::move(clock)), since_(clock_()) {}

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

 private:
  Limit limit_now() const {
    if (busy_ >= workers_) return Limit::cores;
    if (disk_ > 0) return Limit::disk;
    return starved_ > 0 ? Limit::budget : Limit::cores;
  }

  void advance() {
    const double now = clock_();
    const double passed = now - std::exchange(since_, now);
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
  const Clock clock_;
  std::mutex mutex_;
  int busy_ = 0;
  int disk_ = 0;
  int starved_ = 0;
  double since_;
  Shares shares_;
};

}  // namespace sluice::engine
