#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "console.h"
#include "text.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kLogged{10};
// Rates are of the last seconds, so that they follow a change of type, yet do not flicker.
constexpr double kWindowSeconds = 3;

// What most of the time between the two went into.
Limit limit(const Progress& from, const Progress& now) {
  return largest_wait(now.wait_disk_s - from.wait_disk_s, now.wait_cores_s - from.wait_cores_s,
                      now.wait_budget_s - from.wait_budget_s);
}

}  // namespace

std::string progress_line(const Progress& from, const Progress& now, std::size_t columns) {
  const double seconds = std::max(1e-9, now.elapsed_s - from.elapsed_s);
  const double rate = static_cast<double>(now.input_bytes_done - from.input_bytes_done) / seconds;
  const double weights = static_cast<double>(now.weights_done - from.weights_done) / seconds;
  const double left = static_cast<double>(now.input_bytes - now.input_bytes_done);
  const double overall = static_cast<double>(now.input_bytes_done - now.input_bytes_skipped) /
                         std::max(1e-9, now.elapsed_s);
  struct Part {
    std::string text;
    int weight;  // the least is left out first where columns are few
  };
  std::vector<Part> parts = {
      {fmt::format("{:5.1f} %", 100 * share_done(now)), 7},
      {fmt::format("{} of {}", bytes_text(static_cast<double>(now.input_bytes_done)),
                   bytes_text(static_cast<double>(now.input_bytes))),
       4},
      {fmt::format("{}/s", bytes_text(rate)), 5},
      {fmt::format("{} weights/s", count_text(weights)), 2},
      {fmt::format("ETA {}", time_text(left / std::max(1e-9, overall))), 6},
      {fmt::format("limit: {}", name(limit(from, now))), 3}};
  const auto line = [&] {
    std::string text;
    for (const Part& part : parts) text += (text.empty() ? "" : "  ") + part.text;
    return text;
  };
  while (line().size() > columns && parts.size() > 1) {
    parts.erase(std::min_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.weight < b.weight; }));
  }
  return line().substr(0, columns);
}

ProgressDisplay::ProgressDisplay() : live_(console::can_redraw()) {}

void ProgressDisplay::note(std::string_view text) {
  end();
  console::note(text);
}

void ProgressDisplay::progress(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  const bool finished = progress.input_bytes_done == progress.input_bytes;
  if (progress.elapsed_s < window_start_.elapsed_s) window_start_ = {};  // another stage
  // The line that stays tells the rates of the whole run.
  Progress start;
  start.input_bytes_done = progress.input_bytes_skipped;
  const Progress& from = finished ? start : window_start_;
  if (now - last_logged_ >= kLogged || finished) {
    last_logged_ = now;
    console::log(progress_line(from, progress, std::string::npos));
  }
  if (live_ && (now - last_drawn_ >= kRedraw || finished)) {
    last_drawn_ = now;
    draw(from, progress);
  }
  if (progress.elapsed_s - window_start_.elapsed_s > kWindowSeconds) window_start_ = progress;
}

void ProgressDisplay::tensor_done(const TensorReport& tensor, std::size_t index,
                                  std::size_t count) {
  const std::string asked =
      tensor.asked ? fmt::format(" instead of {}", name(*tensor.asked)) : std::string();
  const std::string line =
      fmt::format("[{:>{}}/{}] {}  {}  {} -> {}{}  {}", index + 1, fmt::format("{}", count).size(),
                  count, printable(tensor.name), shape_text(tensor.shape), tensor.stored_as,
                  name(tensor.type), asked, bytes_text(static_cast<double>(tensor.bytes)));
  live_ ? console::log(line) : console::step(line);
}

void ProgressDisplay::end() {
  if (drawn_columns_ == 0) return;
  fmt::print(stderr, "\n");
  drawn_columns_ = 0;
}

void ProgressDisplay::draw(const Progress& from, const Progress& now) {
  // Asked each time, since a window may be resized. The last column stays free: some terminals
  // wrap there.
  const std::size_t columns = std::max<std::size_t>(2, console::columns(STDERR_FILENO)) - 1;
  // A terminal made narrower than what stands there has wrapped it or cut it off, and does not
  // tell. Nothing is drawn over then.
  if (drawn_columns_ > columns) end();
  const std::string shown = progress_line(from, now, columns);
  const std::size_t blanks = drawn_columns_ > shown.size() ? drawn_columns_ - shown.size() : 0;
  fmt::print(stderr, "\r{}{:{}}", shown, "", blanks);
  std::fflush(stderr);
  drawn_columns_ = shown.size();
}

}  // namespace sluice::cli
