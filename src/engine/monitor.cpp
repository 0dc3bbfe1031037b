#include "engine/monitor.h"

#include <algorithm>

#include "base/process_memory.h"

namespace sluice::engine {
namespace {

// Shorter waits are not worth a line in the trace.
constexpr std::int64_t kStall = 100'000;  // ns

// So much read tells a disk's rate. Of the 16 MiB that are under way at its ends, some count wrongly.
constexpr std::uint64_t kTelling = std::uint64_t{64} << 20;

// Of a rate, with each one after it.
constexpr double kRemembered = 0.5;

}  // namespace

Monitor::Monitor(Observer& observer, int workers, std::uint64_t input_bytes,
                 const std::string& trace)
    : observer_(observer),
      workers_(workers),
      input_bytes_(input_bytes),
      trace_(trace.empty() ? nullptr : std::make_unique<Trace>(trace)),
      balance_(workers),
      peak_anon_bytes_(anonymous_bytes()) {}

Monitor::Scope Monitor::waiting_for_memory() {
  balance_.waiting_for_budget(+1);
  return Scope([this, begun = now()] {
    balance_.waiting_for_budget(-1);
    if (trace_) trace_->span(Trace::reader, "wait for a grant", begun, now());
  });
}

Monitor::Scope Monitor::waiting_for_disk() {
  return Scope([this, begun = now()] {
    if (trace_ && now() - begun > kStall) {
      trace_->span(Trace::reader, "wait for the disk", begun, now());
    }
  });
}

Monitor::Read Monitor::begin_read() {
  reading_.begin();
  balance_.disk(+1);
  ++reads_under_way_;
  return {.begun = now(), .id = requests_++};
}

void Monitor::end_read(const Read& read, std::string_view tensor, std::uint64_t bytes) {
  --reads_under_way_;
  balance_.disk(-1);
  reading_.end();
  read_bytes_ += bytes;
  rate_reads();
  if (trace_) trace_->request("read", read.id, read.begun, now(), tensor, bytes);
}

// Of all that are under way together: each by itself is slower by as many as there are.
void Monitor::rate_reads() {
  const std::lock_guard lock(rating_);
  const std::uint64_t bytes = read_bytes_ - rated_bytes_;
  const double until = reading_.seconds();
  const double rate = static_cast<double>(bytes) / std::max(until - rated_until_s_, 1e-9);
  if (bytes < kTelling) {
    if (rated_bytes_ == 0) read_rate_ = rate;  // nothing was under way at the start
    return;
  }
  read_rate_ = std::max(kRemembered * read_rate_, rate);
  rated_bytes_ += bytes;
  rated_until_s_ = until;
}

Monitor::Scope Monitor::working(int worker, const Task& task) {
  balance_.worker(+1);
  return Scope([this, worker, &task, watch = Stopwatch(), begun = now()] {
    balance_.worker(-1);
    compute_ns_ += watch.nanoseconds();
    ++to_finish_;
    if (!trace_) return;
    const int track = Trace::worker + worker;
    const std::int64_t end = now();
    trace_->span(track, "chunk", begun, end, task.unit.name,
                 {{"weights", static_cast<double>(task.unit.elements)}});
    if (task.decode_ns == 0) return;
    // Decoding and encoding alternate, strip by strip; the picture shows the sums.
    trace_->span(track, "decode", begun, begun + task.decode_ns);
    trace_->span(track, "encode", begun + task.decode_ns, end);
  });
}

Monitor::Scope Monitor::computing() {
  balance_.worker(+1);
  return Scope([this, watch = Stopwatch()] {
    balance_.worker(-1);
    compute_ns_ += watch.nanoseconds();
  });
}

Monitor::Scope Monitor::at_the_disk(std::function<void()> end) {
  writing_.begin();
  balance_.disk(+1);
  return Scope([this, end = std::move(end)] {
    balance_.disk(-1);
    writing_.end();
    end();
  });
}

Monitor::Scope Monitor::writing(std::uint64_t bytes) {
  return at_the_disk([this, bytes, id = requests_++, begun = now()] {
    written_bytes_ += bytes;
    if (trace_) trace_->request("write", id, begun, now(), {}, bytes);
  });
}

Monitor::Scope Monitor::syncing() {
  return at_the_disk([this, begun = now()] {
    if (trace_) trace_->span(Trace::writer, "sync", begun, now());
  });
}

void Monitor::finished(const Task& task) {
  --to_finish_;
  done_bytes_ += task.unit.input_bytes();
  weights_done_ += task.unit.elements;
  sample_memory();
  sample();
  observer_.progress(progress());
}

void Monitor::end() {
  peak_anon_bytes_ = std::max(peak_anon_bytes_, anonymous_bytes());
  if (!trace_) return;
  if (const std::string wrong = trace_->close(); !wrong.empty()) observer_.note(wrong);
}

void Monitor::sample_memory() {
  constexpr double kEverySeconds = 0.02;  // reading /proc takes some 20 us
  if (since_memory_sample_.seconds() < kEverySeconds) return;
  since_memory_sample_ = Stopwatch();
  const std::uint64_t anonymous = anonymous_bytes();
  peak_anon_bytes_ = std::max(peak_anon_bytes_, anonymous);
  if (!trace_) return;
  trace_->counter("anonymous memory, MiB", static_cast<double>(anonymous) / (1 << 20));
  trace_->counter("reads under way", reads_under_way_);
  trace_->counter("chunks to write", to_finish_);
}

void Monitor::sample() {
  const double now = wall_.seconds();
  if (!history_.due(now)) return;
  const Balance::Shares shares = balance_.shares();
  history_.add({.time_s = now,
                .read_bytes = read_bytes_,
                .written_bytes = written_bytes_,
                .weights = weights_done_,
                .disk = shares.disk_s,
                .cores = shares.cores_s,
                .budget = shares.budget_s});
}

Progress Monitor::progress() const {
  const Balance::Shares shares = balance_.shares();
  return {.input_bytes_done = done_bytes_,
          .input_bytes = input_bytes_,
          .input_bytes_skipped = skipped_bytes_,
          .weights_done = weights_done_,
          .elapsed_s = wall_.seconds(),
          .wait_disk_s = shares.disk_s,
          .wait_cores_s = shares.cores_s,
          .wait_budget_s = shares.budget_s};
}

void Monitor::report(RunReport& report) const {
  report.wall_s = wall_.seconds();
  report.read_bytes = read_bytes_;
  report.read_s = reading_.seconds();
  report.write_bytes = written_bytes_;
  report.write_s = writing_.seconds();
  report.compute_s = static_cast<double>(compute_ns_.load()) * 1e-9;
  const Balance::Shares shares = balance_.shares();
  report.wait_disk_s = shares.disk_s;
  report.wait_cores_s = shares.cores_s;
  report.wait_budget_s = shares.budget_s;
  const double working = report.wall_s - static_cast<double>(first_read_ns_.load()) * 1e-9;
  report.workers_busy = working > 0 ? report.compute_s / (working * workers_) : 0;
  report.peak_anon_bytes = peak_anon_bytes_;
  report.threads = workers_;
  report.weights = weights_done_;
  report.samples = history_.samples();
}

}  // namespace sluice::engine
