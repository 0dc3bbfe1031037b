#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "text.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
// Rates are of the last seconds, so that they follow a change of type, yet do not flicker.
constexpr double kWindowSeconds = 3;

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// What most of the time went into.
Limit limit(const Progress& from, const Progress& now) {
  const double disk = now.wait_disk_s - from.wait_disk_s;
  const double cores = now.wait_cores_s - from.wait_cores_s;
  const double budget = now.wait_budget_s - from.wait_budget_s;
  if (cores >= disk && cores >= budget) return Limit::cores;
  return disk >= budget ? Limit::disk : Limit::budget;
}

}  // namespace

std::string progress_line(const Progress& from, const Progress& now) {
  const double seconds = std::max(1e-9, now.elapsed_s - from.elapsed_s);
  const double rate = static_cast<double>(now.input_bytes_done - from.input_bytes_done) / seconds;
  const double weights = static_cast<double>(now.weights_done - from.weights_done) / seconds;
  const double left = static_cast<double>(now.input_bytes - now.input_bytes_done);
  const double overall = static_cast<double>(now.input_bytes_done - now.input_bytes_skipped) /
                         std::max(1e-9, now.elapsed_s);
  const double share = now.input_bytes == 0 ? 1.0
                                            : static_cast<double>(now.input_bytes_done) /
                                                  static_cast<double>(now.input_bytes);
  return fmt::format("{:5.1f} %  {} of {}  {}/s  {} weights/s  ETA {}  limit: {}", 100 * share,
                     bytes_text(static_cast<double>(now.input_bytes_done)),
                     bytes_text(static_cast<double>(now.input_bytes)), bytes_text(rate),
                     count_text(weights), time_text(left / std::max(1e-9, overall)),
                     name(limit(from, now)));
}

ProgressDisplay::ProgressDisplay() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressDisplay::note(std::string_view text) {
  end();
  fmt::print(stderr, "note: {}\n", text);
}

void ProgressDisplay::progress(const Progress& progress) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  const bool finished = progress.input_bytes_done == progress.input_bytes;
  if (now - last_drawn_ < kRedraw && !finished) return;
  last_drawn_ = now;
  // The line that stays tells the rates of the whole run.
  Progress start;
  start.input_bytes_done = progress.input_bytes_skipped;
  draw(progress_line(finished ? start : window_start_, progress));
  if (progress.elapsed_s - window_start_.elapsed_s > kWindowSeconds) window_start_ = progress;
}

void ProgressDisplay::tensor_done(const TensorReport& tensor, std::size_t index,
                                  std::size_t count) {
  if (terminal_) return;
  fmt::print(stderr, "[{:>{}}/{}] {}  {}  {} -> {}  {}\n", index + 1,
             fmt::format("{}", count).size(), count, printable(tensor.name),
             shape_text(tensor.shape), name(tensor.source), name(tensor.type),
             bytes_text(static_cast<double>(tensor.bytes)));
}

void ProgressDisplay::end() {
  if (drawn_columns_ == 0) return;
  fmt::print(stderr, "\n");
  drawn_columns_ = 0;
}

void ProgressDisplay::draw(const std::string& line) {
  const std::string shown = line.substr(0, terminal_columns() - 1);
  const std::size_t blanks = drawn_columns_ > shown.size() ? drawn_columns_ - shown.size() : 0;
  fmt::print(stderr, "\r{}{:{}}", shown, "", blanks);
  std::fflush(stderr);
  drawn_columns_ = shown.size();
}

}  // namespace sluice::cli
