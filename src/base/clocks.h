#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace sluice {

/// Time since it was made.
class Stopwatch {
 public:
  std::int64_t nanoseconds() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count();
  }
  double seconds() const { return static_cast<double>(nanoseconds()) * 1e-9; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// Time during which at least one of several overlapping activities was under way.
class BusyClock {
 public:
  class Guard {
   public:
    explicit Guard(BusyClock& clock) : clock_(clock) { clock_.begin(); }
    ~Guard() { clock_.end(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    BusyClock& clock_;
  };

  void begin() {
    const std::lock_guard lock(mutex_);
    if (active_++ == 0) busy_since_ = Stopwatch();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--active_ == 0) finished_s_ += busy_since_.seconds();
  }
  double seconds() const {
    const std::lock_guard lock(mutex_);
    return finished_s_ + (active_ > 0 ? busy_since_.seconds() : 0.0);
  }

 private:
  mutable std::mutex mutex_;
  int active_ = 0;
  Stopwatch busy_since_;
  double finished_s_ = 0;
};

}  // namespace sluice
