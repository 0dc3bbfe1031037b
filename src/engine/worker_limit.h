#pragma once

#include <tbb/global_control.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <set>

namespace sluice::engine {

/// Lets oneTBB have as many workers as the run with the most threads asks for: more than there are
/// cores is the user's wish. What another run, or the host, has set is never lowered.
class WorkerLimit {
 public:
  explicit WorkerLimit(int threads) {
    const std::lock_guard lock(mutex_);
    entry_ = wanted_.insert(static_cast<std::size_t>(threads));
    apply();
  }
  ~WorkerLimit() {
    const std::lock_guard lock(mutex_);
    wanted_.erase(entry_);
    apply();
  }
  WorkerLimit(const WorkerLimit&) = delete;
  WorkerLimit& operator=(const WorkerLimit&) = delete;

 private:
  using Control = tbb::global_control;

  static void apply() {
    control_.reset();
    constexpr Control::parameter kMost = Control::max_allowed_parallelism;
    if (wanted_.empty() || *wanted_.rbegin() <= Control::active_value(kMost)) return;
    control_ = std::make_unique<Control>(kMost, *wanted_.rbegin());
  }

  static inline std::mutex mutex_;
  static inline std::multiset<std::size_t> wanted_;
  static inline std::unique_ptr<Control> control_;
  std::multiset<std::size_t>::iterator entry_;
};

}  // namespace sluice::engine
