#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

#include "base/clocks.h"
#include "base/thread.h"

namespace sluice::io {

/// Writes that are under way while who asked for them goes on: several at a time, but one after the
/// other on a disk that is as slow as a hard disk, whose head would go to and fro. For one caller.
class WriteTeam {
 public:
  /// So many writes of megabytes fill the queue of a fast disk.
  static constexpr std::size_t kMost = 4;

  WriteTeam() = default;
  ~WriteTeam();
  WriteTeam(const WriteTeam&) = delete;
  WriteTeam& operator=(const WriteTeam&) = delete;

  /// Starts a write of so many bytes, when there are not too many under way.
  /// \throws what one of those before has thrown; Error (memory_budget)
  void start(std::uint64_t bytes, std::function<void()> write);

  /// Waits until one of those under way has ended. \returns false if there are none
  bool wait_for_one();

  /// Waits until all have ended.
  void wait() noexcept;

  /// The same. \throws what one has thrown
  void finish();

 private:
  struct Job {
    std::uint64_t bytes = 0;
    std::function<void()> write;
  };

  std::size_t most() const;
  void work();
  void rethrow();

  BusyClock busy_;
  std::mutex mutex_;
  std::condition_variable started_;
  std::condition_variable ended_;
  std::deque<Job> jobs_;
  std::size_t under_way_ = 0;  // waiting ones too
  std::uint64_t written_bytes_ = 0;
  std::exception_ptr error_;
  bool over_ = false;
  std::vector<Thread> threads_;
};

}  // namespace sluice::io
