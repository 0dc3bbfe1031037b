#include "io/http/retries.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <thread>

#include "base/stop.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

// A link that has expired is asked for anew; a new one that is refused too has another reason.
constexpr int kMostRefusals = 3;
// A server may ask for more, and the hub's limits are for five minutes.
constexpr double kLongestWish = 600;

double jitter() {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution(0.5, 1.0)(random);
}

}  // namespace

void pause(double seconds, const std::atomic<bool>* stop) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLook{50};
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
  throw_if_stopped(stop);
  while (Clock::now() < end) {
    std::this_thread::sleep_for(std::min<Clock::duration>(kLook, end - Clock::now()));
    throw_if_stopped(stop);
  }
}

void Retries::wait(const Transient& failure, bool progress, bool answered) {
  if (progress) failures_ = refusals_ = 0;
  ++failures_;
  if (failure.refused) ++refusals_;
  const bool first = !answered && dynamic_cast<const Unreachable*>(&failure) != nullptr;
  if (failures_ >= (first ? patience_.first_attempts : patience_.attempts) ||
      refusals_ >= kMostRefusals) {
    throw Error(ErrorCode::input_read,
                fmt::format("cannot be read over the network: {} ({} in a row)", failure.what(),
                            counted(static_cast<std::uint64_t>(failures_), "failure")),
                {.cure = "Check the connection; the same command goes on from there"});
  }
  // The first refusal is what the end of a link looks like, and needs no pause.
  if (refusals_ == 1 && failures_ == 1) return pause(0, stop_);
  const double backoff =
      std::min(patience_.first_pause_s * std::exp2(failures_ - 1), patience_.longest_pause_s);
  pause(std::max(backoff * jitter(), std::min(failure.retry_after_s, kLongestWish)), stop_);
}

}  // namespace sluice::io
