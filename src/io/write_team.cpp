#include "io/write_team.h"

#include <utility>

namespace sluice::io {

WriteTeam::~WriteTeam() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  started_.notify_all();
  threads_.clear();  // joins them
}

std::size_t WriteTeam::most() const {
  constexpr double kHardDisk = 4e8;  // bytes a second: more than any has
  constexpr double kTold = 0.1;      // seconds after which the rate tells
  const double seconds = busy_.seconds();
  const bool slow = seconds > kTold && static_cast<double>(written_bytes_) < seconds * kHardDisk;
  return slow ? 1 : kMost;
}

void WriteTeam::start(std::uint64_t bytes, std::function<void()> write) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return under_way_ < most(); });
  rethrow();
  if (threads_.size() == under_way_) threads_.emplace_back([this] { work(); });
  jobs_.push_back({bytes, std::move(write)});
  ++under_way_;
  busy_.begin();
  started_.notify_one();
}

bool WriteTeam::wait_for_one() {
  std::unique_lock lock(mutex_);
  const std::size_t before = under_way_;
  ended_.wait(lock, [&] { return under_way_ < before || before == 0; });
  return before > 0;
}

void WriteTeam::wait() noexcept {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return under_way_ == 0; });
}

void WriteTeam::finish() {
  wait();
  const std::lock_guard lock(mutex_);
  rethrow();
}

void WriteTeam::rethrow() {
  if (error_) std::rethrow_exception(error_);
}

void WriteTeam::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    started_.wait(lock, [&] { return over_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    std::exception_ptr error;
    try {
      job.write();
    } catch (...) {
      error = std::current_exception();
    }
    job.write = nullptr;  // what it held is free before it counts as ended
    lock.lock();
    busy_.end();
    if (error && !error_) error_ = std::move(error);
    written_bytes_ += job.bytes;
    --under_way_;
    ended_.notify_all();
  }
}

}  // namespace sluice::io
