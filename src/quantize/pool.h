#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace sluice {

/// A fixed number of things of which units share one, and which is free again when the last of them
/// is done, failed or not. Any thread may give up its share.
template <class T>
class Pool {
 public:
  template <class... Arguments>
  explicit Pool(std::size_t count, const Arguments&... arguments) {
    for (std::size_t i = 0; i < count; ++i) {
      free_.push_back(all_.emplace_back(std::make_unique<T>(arguments...)).get());
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Waits until one is free.
  /// \returns null if `ended` is requested before. The pool outlives what it gives out
  std::shared_ptr<T> acquire(const std::stop_token& ended) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, ended, [&] { return !free_.empty(); })) return nullptr;
    T* const thing = free_.back();
    free_.pop_back();
    return {thing, [this](T* used) {
              const std::lock_guard guard(mutex_);
              free_.push_back(used);
              changed_.notify_one();
            }};
  }

 private:
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> free_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
};

}  // namespace sluice
