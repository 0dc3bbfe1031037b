#pragma once

#include <functional>
#include <memory>

namespace sluice {

/// A thread whose stack is large enough for all that runs here, whatever the user's limit
/// (`ulimit -s`), which is what a std::thread gets, and the host's threads have what they have.
class Thread {
 public:
  Thread() noexcept;
  /// \throws Error (memory_budget) if the system starts no more threads
  explicit Thread(std::function<void()> run);
  Thread(Thread&& other) noexcept;
  /// \pre none was started here
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  /// Waits until it has ended, if it was started, and throws what it threw.
  void join();

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace sluice
