#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/clocks.h"

namespace sluice::engine {

/// Who may use the disk. Where input and output share a spindle, reading and writing take turns in
/// large batches, because each change of side costs a seek; elsewhere neither waits for the other.
class Turns {
 public:
  explicit Turns(bool shared_spindle) : shared_(shared_spindle) {}

  /// Waits until a read may start: for the reader's thread. \returns what it ends with
  Stopwatch begin_read() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reads_ < most_reads_ && !writing_; });
    ++reads_;
    return {};
  }
  void end_read(const Stopwatch& begun) {
    const bool quick = begun.seconds() < kQuick;
    const std::lock_guard lock(mutex_);
    --reads_;
    if (!shared_) {
      most_reads_ =
          quick ? std::min(most_reads_ + 1, kMostReads) : std::max(most_reads_ - 1, kLeastReads);
    }
    changed_.notify_all();
  }

  /// A batch of writes: waits for the reads under way, and holds new ones back until it ends.
  class WriteBatch {
   public:
    explicit WriteBatch(Turns& turns) : turns_(turns) {
      if (!turns_.shared_) return;
      std::unique_lock lock(turns_.mutex_);
      turns_.writing_ = true;
      turns_.changed_.wait(lock, [&] { return turns_.reads_ == 0; });
    }
    ~WriteBatch() {
      if (!turns_.shared_) return;
      const std::lock_guard lock(turns_.mutex_);
      turns_.writing_ = false;
      turns_.changed_.notify_all();
    }
    WriteBatch(const WriteBatch&) = delete;
    WriteBatch& operator=(const WriteBatch&) = delete;

   private:
    Turns& turns_;
  };

  bool shared() const { return shared_; }

 private:
  // Four reads of 4 MiB keep a disk's queue full, as each becomes several requests, and take 160 ms
  // on one of 100 MB/s: so long, at most, do writes or the end of a stopped run wait for them. What
  // comes faster is asked for earlier, as many reads as are done in 20 ms: 32 of them are 6.7 GB/s at least.
  static constexpr int kLeastReads = 4;
  static constexpr int kMostReads = 32;
  static constexpr double kQuick = 0.02;

  const bool shared_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int reads_ = 0;
  int most_reads_ = kLeastReads;
  bool writing_ = false;
};

}  // namespace sluice::engine
