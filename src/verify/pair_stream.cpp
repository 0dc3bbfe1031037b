#include "verify/pair_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <vector>

#include "base/page_buffer.h"
#include "base/process_memory.h"
#include "sluice/error.h"

namespace sluice {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// Stacks that threads touch, and allocator slack.
constexpr std::uint64_t kRuntimeBytes = 4 * kMiB;
constexpr std::uint64_t kRuntimeBytesPerThread = kMiB / 8;

// Large enough that a disk which goes to and fro between two files spends its time on reading: 4
// MiB take 40 ms at 100 MB/s, a seek 10 ms.
constexpr std::uint64_t kLargestChunk = 4 * kMiB;

// Every type's block divides this.
constexpr std::uint64_t kUnitElements = 256;

std::uint64_t unit_bytes(const TensorPair& pair) {
  return kUnitElements / info(pair.tensor->type).block_elements *
             info(pair.tensor->type).block_bytes +
         (pair.source == nullptr ? 0
                                 : kUnitElements / info(pair.source->type).block_elements *
                                       info(pair.source->type).block_bytes);
}

struct Range {
  const io::File& file;
  std::uint64_t offset;
  std::uint64_t size;
};

Range tensor_range(const TensorPair& pair, const PairChunk& chunk) {
  const TensorType type = pair.tensor->type;
  return {*pair.file, pair.offset + byte_size(type, chunk.first_element),
          byte_size(type, chunk.elements)};
}

Range source_range(const TensorPair& pair, const PairChunk& chunk) {
  const TensorType type = pair.source->type;
  return {*pair.source_file, pair.source_offset + byte_size(type, chunk.first_element),
          byte_size(type, chunk.elements)};
}

void prefetch(const Range& range) {
  range.file.prefetch(range.offset, range.size);
}

void read(const Range& range, std::span<std::byte> bytes) {
  const std::size_t got = range.file.read_at(range.offset, bytes);
  // The bytes are in the buffer now: the kernel's copy would only push other files out.
  range.file.drop_cached(range.offset, range.offset + range.size);
  if (got == bytes.size()) return;
  throw Error(ErrorCode::input_truncated, "ends before the data that its header announces",
              {.file = range.file.path(),
               .offset = range.offset + got,
               .cure = "The file changed while it was read: start anew"});
}

/// Hands out chunks, tensor after tensor.
class Cursor {
 public:
  Cursor(std::span<const TensorPair> pairs, std::uint64_t chunk_bytes)
      : pairs_(pairs), chunk_bytes_(chunk_bytes), order_(pairs.size()) {
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return std::tuple(pairs[a].file, pairs[a].offset) <
             std::tuple(pairs[b].file, pairs[b].offset);
    });
  }

  std::optional<PairChunk> next() {
    if (place_ == order_.size()) return std::nullopt;
    const std::size_t index = order_[place_];
    const TensorPair& pair = pairs_[index];
    const std::uint64_t units = std::max<std::uint64_t>(1, chunk_bytes_ / unit_bytes(pair));
    // One expert has one importance row.
    const std::uint64_t expert = pair.expert_elements();
    const std::uint64_t end = (element_ / expert + 1) * expert;
    const PairChunk chunk{.pair = index,
                          .first_element = element_,
                          .elements = std::min(units * kUnitElements, end - element_)};
    element_ += chunk.elements;
    if (element_ == pair.elements()) {
      ++place_;
      element_ = 0;
    }
    return chunk;
  }

 private:
  std::span<const TensorPair> pairs_;
  std::uint64_t chunk_bytes_;
  std::vector<std::size_t> order_;
  std::size_t place_ = 0;
  std::uint64_t element_ = 0;
};

class Stream {
 public:
  Stream(std::span<const TensorPair> pairs, const StreamOptions& options,
         const std::function<std::unique_ptr<PairWorker>()>& make_worker, Observer& observer)
      : pairs_(pairs),
        options_(options),
        make_worker_(make_worker),
        observer_(observer),
        chunk_bytes_(chunk_bytes()),
        cursor_(pairs, chunk_bytes_) {
    for (const TensorPair& pair : pairs) {
      progress_.input_bytes += pair.tensor->size;
      if (pair.source != nullptr) progress_.input_bytes += pair.source->size;
    }
  }

  std::uint64_t run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < options_.threads; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    if (error_) std::rethrow_exception(error_);
    return progress_.input_bytes_done;
  }

 private:
  std::uint64_t chunk_bytes() const {
    std::uint64_t least = 0;
    for (const TensorPair& pair : pairs_) least = std::max(least, unit_bytes(pair));
    const auto threads = static_cast<std::uint64_t>(options_.threads);
    const std::uint64_t fixed = anonymous_bytes() + kRuntimeBytes +
                                threads * (kRuntimeBytesPerThread + options_.worker_bytes);
    if (options_.memory < fixed + threads * least) {
      throw Error(
          ErrorCode::memory_budget,
          fmt::format("--memory {}M is too small for this model and {} threads: the least "
                      "is {}M",
                      options_.memory / kMiB, threads, (fixed + threads * least + kMiB - 1) / kMiB),
          {.cure = "Raise --memory or use fewer threads"});
    }
    return std::max(least, std::min(kLargestChunk, (options_.memory - fixed) / threads));
  }

  // On each thread. A thread takes its next chunk before it looks at the one it has, so that the
  // system reads the one meanwhile.
  void work() {
    try {
      PageBuffer buffer(chunk_bytes_);
      const std::unique_ptr<PairWorker> worker = make_worker_();
      std::optional<PairChunk> chunk = take();
      while (chunk) {
        const std::optional<PairChunk> next = take();
        look(*worker, *chunk, buffer.bytes());
        chunk = next;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  std::optional<PairChunk> take() {
    std::optional<PairChunk> chunk;
    {
      const std::lock_guard lock(mutex_);
      if (!error_) chunk = cursor_.next();
    }
    if (chunk) {
      const TensorPair& pair = pairs_[chunk->pair];
      prefetch(tensor_range(pair, *chunk));
      if (pair.source != nullptr) prefetch(source_range(pair, *chunk));
    }
    return chunk;
  }

  void look(PairWorker& worker, const PairChunk& chunk, std::span<std::byte> buffer) {
    const TensorPair& pair = pairs_[chunk.pair];
    const Range range = tensor_range(pair, chunk);
    const std::span<std::byte> blocks = buffer.first(range.size);
    std::span<std::byte> source;
    read(range, blocks);
    if (pair.source != nullptr) {
      const Range from = source_range(pair, chunk);
      source = buffer.subspan(blocks.size(), from.size);
      read(from, source);
    }
    worker.look(chunk, blocks, source);

    const std::lock_guard lock(mutex_);
    worker.hand_over(chunk);
    progress_.input_bytes_done += blocks.size() + source.size();
    progress_.weights_done += chunk.elements;
    progress_.elapsed_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    observer_.progress(progress_);
  }

  std::span<const TensorPair> pairs_;
  const StreamOptions options_;
  const std::function<std::unique_ptr<PairWorker>()>& make_worker_;
  Observer& observer_;
  const std::uint64_t chunk_bytes_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

  std::mutex mutex_;  // for all that follows
  Cursor cursor_;
  Progress progress_;
  std::exception_ptr error_;
};

}  // namespace

std::uint64_t stream_pairs(std::span<const TensorPair> pairs, const StreamOptions& options,
                           const std::function<std::unique_ptr<PairWorker>()>& make_worker,
                           Observer& observer) {
  return Stream(pairs, options, make_worker, observer).run();
}

}  // namespace sluice
