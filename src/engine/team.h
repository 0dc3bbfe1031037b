#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/team.h"

namespace sluice::engine {

/// A team of oneTBB's threads; who calls run() is one of them, and should be on a thread of the
/// library's (base/thread.h) for its stack. A task does not call run() itself.
class TbbTeam final : public Team {
 public:
  /// \param stop  once it is true, run() throws Error (interrupted) before its next task; may be null
  explicit TbbTeam(int threads, const std::atomic<bool>* stop = nullptr);
  ~TbbTeam() override;

  int threads() const override;
  void run(std::size_t count,
           const std::function<void(std::size_t task, int worker)>& task) override;

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace sluice::engine
