#pragma once

#include <cstddef>
#include <functional>

namespace sluice {

/// Threads that work on the parts of one thing together.
class Team {
 public:
  virtual ~Team() = default;

  virtual int threads() const = 0;

  /// Calls task(i, worker) for each i in [0, count), in any order, and returns when all are done.
  /// \param task  worker is from 0, less than threads(); no two calls have it at a time
  /// \throws what a task throws, once none is running
  virtual void run(std::size_t count,
                   const std::function<void(std::size_t task, int worker)>& task) = 0;
};

}  // namespace sluice
