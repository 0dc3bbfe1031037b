#include "quantize/factor_window.h"

#include <algorithm>
#include <future>
#include <memory>
#include <tuple>

namespace sluice {
namespace {

// At a time, of a run.
constexpr std::uint64_t kReadBytes = std::uint64_t{1} << 20;

// So much between two ranges is read with them.
constexpr std::uint64_t kSmallGap = 4096;

std::span<const std::byte> read_range(const io::ReadRange& range, std::span<std::byte> buffer,
                                      const Reading& reading) {
  // Shared, since who fulfils a promise is at it for longer than who waits for it.
  const auto done = std::make_shared<std::promise<std::span<const std::byte>>>();
  const Stopwatch turn = reading.turns.begin_read();
  const engine::Monitor::Read begun = reading.monitor.begin_read();
  reading.source.read(range, buffer,
                      [done, turn, begun, range, reading](std::span<const std::byte> bytes,
                                                          const std::exception_ptr& error) {
                        reading.monitor.end_read(begun, "factors", range.size);
                        reading.turns.end_read(turn);
                        error ? done->set_exception(error) : done->set_value(bytes);
                      });
  return done->get_future().get();
}

}  // namespace

void FactorWindow::read(std::vector<io::ReadRange> ranges, const Reading& reading) {
  std::ranges::sort(
      ranges, {}, [](const io::ReadRange& range) { return std::tuple(range.part, range.offset); });
  runs_.clear();
  std::size_t size = 0;
  for (const io::ReadRange& range : ranges) {
    const std::uint64_t end = range.offset + range.size;
    if (!runs_.empty()) {
      io::ReadRange& last = runs_.back().range;
      if (last.part == range.part && range.offset <= last.offset + last.size + kSmallGap) {
        const std::uint64_t more = std::max(last.offset + last.size, end) - last.offset - last.size;
        last.size += more;
        size += more;
        continue;
      }
    }
    runs_.push_back({range, size});
    size += range.size;
  }
  bytes_.resize(size);
  for (const Run& run : runs_) read_run(run, reading);
}

void FactorWindow::read_run(const Run& run, const Reading& reading) {
  const PageBuffer buffer(std::min<std::uint64_t>(run.range.size, kReadBytes) +
                          io::Source::kBufferSlack);
  for (std::uint64_t done = 0; done < run.range.size; done += kReadBytes) {
    const io::ReadRange range{run.range.part, run.range.offset + done,
                              std::min(kReadBytes, run.range.size - done)};
    const std::span<const std::byte> bytes = read_range(range, buffer.bytes(), reading);
    reading.source.fill(range, bytes);
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(run.at + done));
    reading.source.check(range);
    reading.source.release(range);
  }
}

std::span<const std::byte> FactorWindow::at(const io::ReadRange& range) const {
  const auto next = std::ranges::upper_bound(
      runs_, std::tuple(range.part, range.offset), {},
      [](const Run& run) { return std::tuple(run.range.part, run.range.offset); });
  const Run& run = *std::prev(next);
  return std::span(bytes_).subspan(run.at + (range.offset - run.range.offset), range.size);
}

}  // namespace sluice
