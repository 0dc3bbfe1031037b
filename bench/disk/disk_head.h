#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace sluice::bench {

/// One hard disk's head, as arithmetic: reads and writes share it, one after the other in the order
/// in which they ask, at a fixed rate, and each jump costs a seek. Keeps no clock of its own; times
/// are seconds on any clock that the caller likes. Not for several threads at once.
class DiskHead {
 public:
  /// How far an access may be from the end of the last one without a seek: the span that a drive's
  /// own cache and read-ahead cover, a few tracks.
  static constexpr std::uint64_t kNearBy = 4 << 20;

  /// Idle time that can be made up for. Requests that follow one another come with a gap, while the
  /// program is woken up; a drive reads on in that time, so the rate must not suffer.
  static constexpr double kCredit = 0.05;

  DiskHead(double bytes_per_second, double seek_seconds)
      : seconds_per_byte_(1 / bytes_per_second), seek_seconds_(seek_seconds) {}

  /// An access of `size` bytes that is asked for at `now`.
  /// \returns when it is done; may lie before `now`, within the credit
  double use(double now, std::uint64_t file, std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t end = offset + size;
    const bool jump = !last_ || last_->file != file || distance(offset, last_->end) > kNearBy;
    // What comes a little before the last one must not move the head back.
    last_ = {file, jump ? end : std::max(end, last_->end)};
    free_at_ = std::max(free_at_, now - kCredit);
    free_at_ += static_cast<double>(size) * seconds_per_byte_;
    if (jump) {
      free_at_ += seek_seconds_;
      ++seeks_;
    }
    return free_at_;
  }

  std::uint64_t seeks() const { return seeks_; }

 private:
  struct Place {
    std::uint64_t file;
    std::uint64_t end;
  };

  static std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

  double seconds_per_byte_;
  double seek_seconds_;
  double free_at_ = -1e300;
  std::optional<Place> last_;
  std::uint64_t seeks_ = 0;
};

}  // namespace sluice::bench
