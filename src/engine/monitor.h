#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/clocks.h"
#include "engine/balance.h"
#include "engine/history.h"
#include "engine/trace.h"
#include "engine/work.h"
#include "sluice/observer.h"

namespace sluice::engine {

/// Is told what a run does, and keeps the statistics, the progress and the trace: what moves units
/// knows of none of these. Any thread may call, but finished() and end() are the writer's thread's.
class Monitor {
 public:
  /// \param input_bytes  in all, for the progress
  /// \param trace        file to write a Chrome trace to; empty: none
  /// \throws Error (output_open)
  Monitor(Observer& observer, int workers, std::uint64_t input_bytes, const std::string& trace);
  virtual ~Monitor() = default;

  /// Something that lasts until its scope ends.
  class [[nodiscard]] Scope {
   public:
    explicit Scope(std::function<void()> end) : end_(std::move(end)) {}
    ~Scope() { end_(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    std::function<void()> end_;
  };

  // The reader.
  void begin_reading() { first_read_ns_ = wall_.nanoseconds(); }
  Scope waiting_for_memory();
  Scope waiting_for_disk();

  /// A read that is under way. It ends on another thread.
  struct Read {
    std::int64_t begun;
    std::uint64_t id;
  };
  Read begin_read();
  void end_read(const Read& read, std::string_view tensor, std::uint64_t bytes);

  // Workers.
  Scope working(int worker, const Task& task);

  /// What workers do that is no unit, and that makes one: made() tells when.
  Scope computing();
  void made() { ++to_finish_; }

  // The writer. A write may end on another thread, and then counts.
  Scope writing(std::uint64_t bytes);
  Scope syncing();

  /// A unit is done, for good.
  virtual void finished(const Task& task);

  /// All is done: the trace ends.
  void end();

  std::uint64_t read_bytes() const { return read_bytes_; }

  /// Bytes a second while anything is read, at the best among the last times, which other programs on
  /// the machine slow down the least; 0 before the first.
  double read_rate() const { return read_rate_; }

  /// How far the run is. On the writer's thread, or while none runs.
  Progress progress() const;

  /// Fills in what was counted and measured.
  void report(RunReport& report) const;

 protected:
  Observer& observer() const { return observer_; }

  /// Input that need not be read, because an earlier run did.
  void skip(std::uint64_t bytes) { skipped_bytes_ = done_bytes_ = bytes; }

 private:
  std::int64_t now() const { return trace_ ? trace_->now() : 0; }
  Scope at_the_disk(std::function<void()> end);
  void rate_reads();
  void sample_memory();
  void sample();

  Observer& observer_;
  const int workers_;
  const std::uint64_t input_bytes_;
  const std::unique_ptr<Trace> trace_;
  mutable Balance balance_;
  Stopwatch wall_;
  BusyClock reading_;
  BusyClock writing_;
  std::atomic<std::int64_t> first_read_ns_ = 0;
  std::atomic<std::int64_t> compute_ns_ = 0;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> read_bytes_ = 0;
  std::mutex rating_;
  std::uint64_t rated_bytes_ = 0;
  double rated_until_s_ = 0;  // of the time in which something was read
  std::atomic<double> read_rate_ = 0;
  std::atomic<int> reads_under_way_ = 0;
  std::atomic<int> to_finish_ = 0;  // units between a worker and finished()

  std::atomic<std::uint64_t> written_bytes_ = 0;

  // Of the writer's thread.
  std::uint64_t skipped_bytes_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t weights_done_ = 0;
  std::uint64_t peak_anon_bytes_;
  Stopwatch since_memory_sample_;
  History history_;
};

}  // namespace sluice::engine
