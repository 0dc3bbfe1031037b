#include "verify/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <vector>

#include "base/checked.h"
#include "base/checksum.h"
#include "base/process_memory.h"
#include "sluice/error.h"
#include "verify/chunk_checker.h"
#include "verify/tensor_findings.h"

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

  std::optional<CheckChunk> next() {
    if (place_ == order_.size()) return std::nullopt;
    const std::size_t index = order_[place_];
    const TensorPair& pair = pairs_[index];
    const std::uint64_t units = std::max<std::uint64_t>(1, chunk_bytes_ / unit_bytes(pair));
    // One expert has one importance row.
    const std::uint64_t expert = pair.expert_elements();
    const std::uint64_t end = (element_ / expert + 1) * expert;
    const CheckChunk chunk{.pair = index,
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

/// What is known of a tensor so far.
struct TensorState {
  TensorChecksum checksum;
  std::uint64_t runs_dropped = 0;
  double error = 0;
  double norm = 0;
  std::vector<DamagedRun> runs = {};

  void add(const TensorPair& pair, const CheckChunk& chunk, ChunkFacts&& facts) {
    constexpr std::size_t kMostRuns = 10000;  // half a MiB
    const TensorType type = pair.tensor->type;
    checksum.add(byte_size(type, chunk.first_element), byte_size(type, chunk.elements),
                 facts.crc32);
    error += facts.error;
    norm += facts.norm;
    const std::size_t kept = std::min(facts.runs.size(), kMostRuns - runs.size());
    runs.insert(runs.end(), facts.runs.begin(),
                facts.runs.begin() + static_cast<std::ptrdiff_t>(kept));
    runs_dropped += static_cast<std::uint64_t>(
        std::count_if(facts.runs.begin() + static_cast<std::ptrdiff_t>(kept), facts.runs.end(),
                      [](const DamagedRun& run) { return run.certain; }));
  }
};

class Verifier {
 public:
  Verifier(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
           const VerifierOptions& options, Observer& observer)
      : pairs_(pairs),
        imatrix_(imatrix),
        options_(options),
        observer_(observer),
        longest_row_(longest_row(pairs)),
        chunk_bytes_(chunk_bytes()),
        cursor_(pairs, chunk_bytes_) {
    for (const TensorPair& pair : pairs) {
      states_.push_back({.checksum = TensorChecksum(pair.tensor->size)});
      progress_.input_bytes += pair.tensor->size;
      if (pair.source != nullptr) progress_.input_bytes += pair.source->size;
    }
  }

  void run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < options_.threads; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    if (error_) std::rethrow_exception(error_);
  }

  void report(FindingList& findings, VerifyReport& report) {
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const TensorPair& pair = pairs_[i];
      TensorState& state = states_[i];
      double error = std::numeric_limits<double>::quiet_NaN();
      if (pair.copied()) error = 0;
      if (pair.source != nullptr && !pair.copied()) {
        error = state.norm > 0 ? state.error / state.norm : 0.0;
      }
      const std::uint64_t bad_regions = add_findings(pair, std::move(state.runs), findings);
      findings.count_more(state.runs_dropped);
      report.tensors.push_back({.name = pair.tensor->name,
                                .type = pair.tensor->type,
                                .shape = pair.tensor->shape,
                                .bytes = pair.tensor->size,
                                .crc32 = state.checksum.value(),
                                .bad_regions = bad_regions,
                                .plain_error = error});
    }
    report.read_bytes = progress_.input_bytes_done;
  }

 private:
  static std::uint64_t longest_row(std::span<const TensorPair> pairs) {
    std::uint64_t longest = 0;
    for (const TensorPair& pair : pairs) {
      if (pair.importance != nullptr) longest = std::max(longest, pair.row_elements());
    }
    return longest;
  }

  std::uint64_t chunk_bytes() const {
    std::uint64_t least = 0;
    for (const TensorPair& pair : pairs_) least = std::max(least, unit_bytes(pair));
    const auto threads = static_cast<std::uint64_t>(options_.threads);
    const std::uint64_t fixed =
        anonymous_bytes() + kRuntimeBytes +
        threads * (kRuntimeBytesPerThread + ChunkChecker::memory_bytes(0, longest_row_));
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

  // On each thread. A thread takes its next chunk before it checks the one it has, so that the
  // system reads the one while the other is checked.
  void work() {
    try {
      ChunkChecker checker(pairs_, imatrix_, options_.isa, chunk_bytes_, longest_row_);
      std::optional<CheckChunk> chunk = take(checker);
      while (chunk) {
        const std::optional<CheckChunk> next = take(checker);
        finish(*chunk, checker.check(*chunk));
        chunk = next;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  std::optional<CheckChunk> take(const ChunkChecker& checker) {
    std::optional<CheckChunk> chunk;
    {
      const std::lock_guard lock(mutex_);
      if (!error_) chunk = cursor_.next();
    }
    if (chunk) checker.announce(*chunk);
    return chunk;
  }

  void finish(const CheckChunk& chunk, ChunkFacts&& facts) {
    const TensorPair& pair = pairs_[chunk.pair];
    const std::lock_guard lock(mutex_);
    states_[chunk.pair].add(pair, chunk, std::move(facts));
    progress_.input_bytes_done += byte_size(pair.tensor->type, chunk.elements);
    if (pair.source != nullptr) {
      progress_.input_bytes_done += byte_size(pair.source->type, chunk.elements);
    }
    progress_.weights_done += chunk.elements;
    progress_.elapsed_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    observer_.progress(progress_);
  }

  std::span<const TensorPair> pairs_;
  const ImportanceMatrix* imatrix_;
  const VerifierOptions options_;
  Observer& observer_;
  const std::uint64_t longest_row_;
  const std::uint64_t chunk_bytes_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

  std::mutex mutex_;  // for all that follows
  Cursor cursor_;
  std::vector<TensorState> states_;
  Progress progress_;
  std::exception_ptr error_;
};

}  // namespace

void check_tensors(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
                   const VerifierOptions& options, Observer& observer, FindingList& findings,
                   VerifyReport& report) {
  Verifier verifier(pairs, imatrix, options, observer);
  verifier.run();
  verifier.report(findings, report);
}

}  // namespace sluice
