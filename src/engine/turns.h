#pragma once

#include <condition_variable>
#include <mutex>

namespace sluice::engine {

/// Who may use the disk. Where input and output share a spindle, reading and writing take turns in
/// large batches, because each change of side costs a seek; elsewhere neither waits for the other.
class Turns {
 public:
  explicit Turns(bool shared_spindle) : shared_(shared_spindle) {}

  /// Waits until a read may start: for the reader's thread.
  void begin_read() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reads_ < kReadsInFlight && !writing_; });
    ++reads_;
  }
  void end_read() {
    const std::lock_guard lock(mutex_);
    --reads_;
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
  // Four reads of 4 MiB keep a fast disk's queue full, as each becomes several requests, and take
  // 160 ms on a disk of 100 MB/s: so long, at most, do writes or the end of a stopped run wait for
  // them.
  static constexpr int kReadsInFlight = 4;

  const bool shared_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int reads_ = 0;
  bool writing_ = false;
};

}  // namespace sluice::engine
