// How fast each way of reading brings a file to the workers, and what processor time it takes: of a
// file that is cached, half cached and not cached. Each byte is looked at once, by two workers.

#include <fmt/format.h>
#include <sys/resource.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clocks.h"
#include "base/page_buffer.h"
#include "io/source.h"
#include "support/page_cache.h"

namespace {

using namespace sluice;

constexpr std::size_t kRange = std::size_t{4} << 20;
constexpr std::size_t kSlots = 16;  // of --memory 64M
constexpr int kWorkers = 2;

struct Arrived {
  std::size_t slot = 0;
  io::ReadRange range;
  std::span<const std::byte> bytes;
};

/// A queue whose reader waits.
template <class T>
class Queue {
 public:
  void push(T item) {
    {
      const std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
    }
    changed_.notify_one();
  }
  T pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !items_.empty(); });
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
};

void read_all(const io::File& file, IoMode mode) {
  const io::OpenedSource opened = io::open_source(mode, {&file});
  io::Source& source = *opened.source;
  std::vector<PageBuffer> buffers;
  Queue<std::size_t> free;
  Queue<Arrived> arrived;
  for (std::size_t i = 0; i < kSlots; ++i) {
    buffers.emplace_back(kRange + io::Source::kBufferSlack);
    free.push(i);
  }
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&] {
      for (Arrived next = arrived.pop(); next.range.size > 0; next = arrived.pop()) {
        static_cast<void>(::XXH3_64bits(next.bytes.data(), next.bytes.size()));
        source.release(next.range);
        free.push(next.slot);
      }
    });
  }
  const std::uint64_t size = file.size();
  for (std::uint64_t at = 0; at < size; at += kRange) {
    const std::size_t slot = free.pop();
    const io::ReadRange range{0, at, std::min<std::uint64_t>(kRange, size - at)};
    source.read(
        range, buffers[slot].bytes(),
        [&arrived, slot, range](std::span<const std::byte> bytes, const std::exception_ptr& error) {
          if (error) std::abort();
          arrived.push({slot, range, bytes});
        });
  }
  for (std::size_t i = 0; i < kSlots; ++i) free.pop();
  for (int i = 0; i < kWorkers; ++i) arrived.push({});
  for (std::thread& worker : workers) worker.join();
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void prepare(const std::string& path, std::uint64_t cached) {
  testing_support::forget(path);
  for (std::uint64_t at = 0; at < cached; at += kRange) {
    testing_support::bring_in(path, at, std::min<std::uint64_t>(kRange, cached - at));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_read FILE REPEATS\n");
    return 2;
  }
  const std::string path = argv[1];
  const int repeats = std::atoi(argv[2]);
  const io::File file = io::File::open_input(path);
  constexpr std::array kNames = {"auto", "mmap", "async", "read"};  // in IoMode's order
  fmt::print("| cached | mode | GB/s | range | processor ms per GB |\n|---|---|---|---|---|\n");
  for (const double share : {1.0, 0.5, 0.0}) {
    std::array<std::vector<double>, kNames.size()> rates;
    std::array<std::vector<double>, kNames.size()> costs;
    for (int round = 0; round < repeats; ++round) {
      for (std::size_t mode = 0; mode < kNames.size(); ++mode) {
        prepare(path, static_cast<std::uint64_t>(share * static_cast<double>(file.size())));
        const double before = processor_seconds();
        const Stopwatch watch;
        read_all(file, static_cast<IoMode>(mode));
        const double gigabytes = static_cast<double>(file.size()) * 1e-9;
        rates[mode].push_back(gigabytes / watch.seconds());
        costs[mode].push_back((processor_seconds() - before) * 1e3 / gigabytes);
      }
    }
    for (std::size_t mode = 0; mode < kNames.size(); ++mode) {
      const auto [least, most] = std::ranges::minmax(rates[mode]);
      fmt::print("| {:.0f} % | {} | {:.2f} | {:.2f} to {:.2f} | {:.0f} |\n", share * 100,
                 kNames[mode], median(rates[mode]), least, most, median(costs[mode]));
    }
  }
  std::ifstream load("/proc/loadavg");
  std::string loads;
  std::getline(load, loads);
  fmt::print("\nLoad: {}\n", loads);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
