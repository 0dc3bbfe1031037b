#pragma once

#include <condition_variable>
#include <mutex>

namespace sluice {

/// Who may use the disk. Where input and output share a spindle, reading and writing take turns in
/// large batches, because each change of side costs a seek; elsewhere neither waits for the other.
class Turns {
 public:
  /// \param reads_in_flight  most reads at a time
  Turns(bool shared_spindle, int reads_in_flight)
      : shared_(shared_spindle), most_reads_(reads_in_flight) {}

  /// Waits until a read may start: for the reader's thread.
  void begin_read() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reads_ < most_reads_ && !writing_; });
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

  /// Reads under way.
  int reads() {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

 private:
  const bool shared_;
  const int most_reads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int reads_ = 0;
  bool writing_ = false;
};

}  // namespace sluice
