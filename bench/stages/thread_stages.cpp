// Runs with a null encoder, from a null disk or the page cache.

#include <atomic>
#include <optional>
#include <vector>

#include "engine/memory_plan.h"
#include "engine/monitor.h"
#include "engine/stream.h"
#include "engine/turns.h"
#include "io/output_buffer.h"
#include "io/source.h"
#include "io/write_team.h"
#include "stages.h"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kUnit = std::uint64_t{4} << 20;
constexpr int kThreads = 2;

/// Of one thread, from its first call to its last.
class ThreadClock {
 public:
  void tick() {
    const double now = thread_seconds();
    if (first_ < 0) first_ = now;
    last_ = now;
  }
  double seconds() const { return last_ - first_; }

 private:
  double first_ = -1;
  double last_ = -1;
};

/// Units of which nothing becomes. Its source is another's, or a disk that takes no time.
class NullRun final : public io::Source,
                      public engine::Producer,
                      public engine::Operator,
                      public engine::Consumer {
 public:
  NullRun(std::uint64_t units, io::Source* source) : units_(units), source_(source) {}

  std::string_view name() const override { return "null"; }
  void read(const io::ReadRange& range, std::span<std::byte> buffer, io::ReadDone done) override {
    if (source_ != nullptr) return source_->read(range, buffer, std::move(done));
    done(buffer.first(range.size), nullptr);
  }
  void fill(const io::ReadRange& range, std::span<const std::byte> bytes) override {
    if (source_ == nullptr) return;
    const double begun = thread_seconds();
    source_->fill(range, bytes);
    fill_seconds += thread_seconds() - begun;
  }
  void release(const io::ReadRange& range) override {
    if (source_ != nullptr) source_->release(range);
  }

  std::optional<engine::Unit> next(std::stop_token) override {
    reader.tick();
    if (next_ == units_) return std::nullopt;
    engine::Unit unit;
    unit.inputs.push_back({0, kUnit * next_++, kUnit});
    return unit;
  }
  void run(engine::Task&, int) override {}
  void take(const engine::Task&) override { writer.tick(); }
  void settle() override { writer.tick(); }
  void finish() override {}
  void save() noexcept override {}

  ThreadClock reader;
  ThreadClock writer;
  std::atomic<double> fill_seconds = 0;

 private:
  const std::uint64_t units_;
  io::Source* const source_;
  std::uint64_t next_ = 0;
};

void run(NullRun& null, std::uint64_t bytes) {
  engine::MemoryPlan memory = engine::plan_memory(
      {.threads = kThreads, .smallest_unit = kUnit, .input_size = bytes, .output_size = bytes},
      std::uint64_t{512} << 20, 0);
  Observer silent;
  engine::Monitor monitor(silent, kThreads, bytes, "");
  engine::Turns turns(false);
  engine::stream({null, null, &null}, null, memory, {.threads = kThreads}, turns, monitor);
}

// Units of IQ1_M's results.
double write_cost() {
  constexpr std::uint64_t kResult = 450000;
  constexpr std::uint64_t kResults = 2000;
  const std::vector<std::byte> result(kResult);
  io::OutputBuffer buffer(256, kResult * kResults, {});
  io::WriteTeam team;
  double seconds = 0;
  for (std::uint64_t i = 0; i < kResults; ++i) {
    buffer.put(i * kResult, result);
    const double begun = thread_seconds();
    if (buffer.ready_bytes() >= std::uint64_t{2} << 20) {
      for (io::OutputBuffer::Write& write : buffer.take_ready(UINT64_MAX, 16 << 20)) {
        const auto held = std::make_shared<io::OutputBuffer::Write>(std::move(write));
        team.start(held->size, [held] {});
      }
    }
    seconds += thread_seconds() - begun;
  }
  team.finish();
  return seconds / double{kResult * kResults};
}

}  // namespace

ThreadCosts thread_costs(const std::string& path) {
  const std::uint64_t units = 5000;
  NullRun null(units, nullptr);
  run(null, units * kUnit);
  const io::File file = io::File::open_input(path);
  const io::OpenedSource opened = io::open_source(IoMode::automatic, {&file});
  const std::uint64_t cached_units = file.size() / kUnit;
  NullRun cached(cached_units, opened.source.get());
  run(cached, cached_units * kUnit);
  const double bytes = static_cast<double>(units * kUnit);
  const double cached_bytes = static_cast<double>(cached_units * kUnit);
  return {.reader = null.reader.seconds() / bytes,
          .fill = cached.fill_seconds / cached_bytes,
          .reader_cached = cached.reader.seconds() / cached_bytes,
          .writer = null.writer.seconds() / bytes,
          .writer_cached = cached.writer.seconds() / cached_bytes,
          .writes = write_cost()};
}

}  // namespace sluice::bench
