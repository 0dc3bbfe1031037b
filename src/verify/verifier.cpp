#include "verify/verifier.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "base/stop.h"
#include "base/threads.h"
#include "base/zero_tensors.h"
#include "codec/error_range.h"
#include "codec/measures.h"
#include "engine/memory_plan.h"
#include "sluice/codec.h"
#include "verify/pair_run.h"
#include "verify/published_rows.h"
#include "verify/tensor_findings.h"

namespace sluice {
namespace {

// 64 KiB of F32 twice: they stay in the second-level cache between decoding and comparing. A
// multiple of every region.
constexpr std::size_t kStripElements = 16384;

/// What a chunk came to.
struct ChunkFacts {
  std::uint32_t crc32 = 0;
  bool any_nonzero = false;  ///< of its bytes
  ErrorSums errors{};        ///< of the regions that could be compared
  std::vector<DamagedRun> runs;
};

/// Collects damaged regions, which come in order, as runs.
class Runs {
 public:
  Runs(ChunkFacts& facts, std::uint64_t first_element)
      : facts_(facts), first_element_(first_element) {}

  /// \param start  in the chunk
  void add(Fault fault, std::uint64_t start, std::uint64_t count, Excess excess = {0, 0, true}) {
    start += first_element_;
    if (!facts_.runs.empty()) {
      DamagedRun& last = facts_.runs.back();
      if (last.fault == fault && last.end_element == start) {
        last.end_element += count;
        last.certain = last.certain || excess.certain;
        if (excess.error > last.error) {
          last.error = excess.error;
          last.limit = excess.limit;
        }
        return;
      }
    }
    facts_.runs.push_back(
        {fault, start, start + count, excess.error, excess.limit, excess.certain});
  }

 private:
  ChunkFacts& facts_;
  std::uint64_t first_element_;
};

/// Checks chunks, with buffers that are allocated once. One for each thread.
class ChunkChecker {
 public:
  /// \param stop  looked at before each strip; may be null
  ChunkChecker(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix, Isa isa,
               const std::atomic<bool>* stop);

  /// Bytes that a checker allocates.
  static std::uint64_t memory_bytes(std::span<const TensorPair> pairs);

  /// \throws Error (interrupted)
  ChunkFacts check(const PairChunk& chunk);

 private:
  void compare(const TensorPair& pair, const PairChunk& chunk, ChunkFacts& facts, Runs& runs);
  std::span<const float> importance_of(const TensorPair& pair, std::uint64_t expert);

  std::span<const TensorPair> pairs_;
  const ImportanceMatrix* imatrix_;
  Isa isa_;
  const std::atomic<bool>* stop_;
  std::vector<float> values_;
  std::vector<float> decoded_;
  std::vector<float> importance_;
  const TensorPair* row_of_ = nullptr;  // whose importance is in importance_
  std::uint64_t row_expert_ = 0;
};

// Of tensors with importance; 0: none has.
std::uint64_t longest_row(std::span<const TensorPair> pairs) {
  std::uint64_t longest = 0;
  for (const TensorPair& pair : pairs) {
    if (pair.importance != nullptr) longest = std::max(longest, pair.row_elements());
  }
  return longest;
}

// What ErrorRange encodes at once.
std::uint64_t longest_encoded(std::span<const TensorPair> pairs) {
  std::uint64_t longest = 0;
  for (const TensorPair& pair : pairs) {
    if (!is_all_blocks(pair.type())) longest = std::max(longest, pair.stored_row());
  }
  return longest;
}

std::uint64_t ChunkChecker::memory_bytes(std::span<const TensorPair> pairs) {
  const std::uint64_t strip = longest_strip(pairs, kStripElements);
  return (2 * strip + longest_row(pairs) + 2 * longest_encoded(pairs)) * sizeof(float);
}

ChunkChecker::ChunkChecker(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
                           Isa isa, const std::atomic<bool>* stop)
    : pairs_(pairs),
      imatrix_(imatrix),
      isa_(isa),
      stop_(stop),
      values_(longest_strip(pairs, kStripElements)),
      decoded_(values_.size()),
      importance_(longest_row(pairs)) {}

ChunkFacts ChunkChecker::check(const PairChunk& chunk) {
  const TensorPair& pair = pairs_[chunk.pair];
  const std::span<const std::byte> blocks = chunk.blocks;
  const std::span<const std::byte> source = chunk.source;
  const TensorType type = pair.type();
  ChunkFacts facts;
  facts.crc32 = crc32_of(blocks);
  facts.any_nonzero = !all_zero(blocks);

  // Scales first, in one pass; only where that fails, region by region.
  const std::uint64_t region = is_all_blocks(type) ? region_elements(type) : pair.stored_row();
  const Codec* codec = find_codec(type, isa_);
  Runs runs(facts, chunk.first_element);
  const auto finite = [&](std::uint64_t start, std::uint64_t count) {
    return codec == nullptr ||
           rows_finite(*codec, blocks.data() + pair.bytes_of(start), count, pair.row_elements());
  };
  if (!finite(0, chunk.elements)) {
    for (std::uint64_t i = 0; i < chunk.elements; i += region) {
      const std::uint64_t count = std::min(region, chunk.elements - i);
      if (!finite(i, count)) runs.add(Fault::scale, i, count);
    }
  }
  if (pair.source == nullptr) return facts;

  if (!pair.copied()) {
    compare(pair, chunk, facts, runs);
  } else if (std::memcmp(blocks.data(), source.data(), blocks.size()) != 0) {
    for (std::uint64_t i = 0; i < chunk.elements; i += region) {
      const std::uint64_t count = std::min(region, chunk.elements - i);
      const std::size_t at = pair.bytes_of(i);
      if (std::memcmp(&blocks[at], &source[at], pair.bytes_of(count)) != 0) {
        runs.add(Fault::copy, i, count);
      }
    }
  }
  return facts;
}

// Strip by strip, of one expert, which has one importance.
void ChunkChecker::compare(const TensorPair& pair, const PairChunk& chunk, ChunkFacts& facts,
                           Runs& runs) {
  const TensorType type = pair.type();
  const Codec& codec = *find_codec(type, isa_);
  const ErrorRange range(type, isa_, pair.row_elements());
  const bool exact = pair.published && pair.published->exact;
  const std::uint64_t most = strip_elements(pair, kStripElements);
  const std::uint64_t expert = pair.expert_elements();

  for (std::uint64_t done = 0; done < chunk.elements;) {
    throw_if_stopped(stop_);
    const std::uint64_t at = chunk.first_element + done;
    const std::size_t count = std::min({most, chunk.elements - done, expert - at % expert});
    const std::span<float> values = std::span(values_).first(count);
    const std::span<float> decoded = std::span(decoded_).first(count);
    chunk.decode_source(pair, done, isa_, values);
    decode_rows(codec, chunk.blocks.data() + pair.bytes_of(done), count, pair.row_elements(),
                decoded.data());
    range.judge_all(
        values, decoded, importance_of(pair, at / expert), at % pair.row_elements(),
        [&](std::size_t start, std::size_t size, const Judgement& judgement) {
          if (!std::isfinite(judgement.error)) {
            const auto region = values.subspan(start, size);
            if (!std::ranges::all_of(region, [](float x) { return std::isfinite(x); })) {
              runs.add(Fault::source, done + start, size);
            }
            return;
          }
          if (exact && judgement.error != 0) return runs.add(Fault::copy, done + start, size);
          facts.errors += {.error = judgement.error, .norm = judgement.norm};
          if (judgement.excess) {
            runs.add(Fault::error, done + start, size, *judgement.excess);
          }
        });
    done += count;
  }
}

std::span<const float> ChunkChecker::importance_of(const TensorPair& pair, std::uint64_t expert) {
  if (pair.importance == nullptr) return {};
  const std::span<float> row = std::span(importance_).first(pair.row_elements());
  if (row_of_ != &pair || row_expert_ != expert) {
    imatrix_->read_row(*pair.importance, expert, row);
    row_of_ = &pair;
    row_expert_ = expert;
  }
  return row;
}

/// What is known of a tensor so far.
struct TensorState {
  TensorChecksum checksum;
  bool any_nonzero = false;
  std::uint64_t runs_dropped = 0;
  ErrorSums errors{};
  std::vector<DamagedRun> runs = {};

  void add(const TensorPair& pair, const PairChunk& chunk, ChunkFacts&& facts) {
    constexpr std::size_t kMostRuns = 10000;  // half a MiB
    checksum.add(pair.bytes_of(chunk.first_element), pair.bytes_of(chunk.elements), facts.crc32);
    any_nonzero |= facts.any_nonzero;
    errors += facts.errors;
    const std::size_t kept = std::min(facts.runs.size(), kMostRuns - runs.size());
    runs.insert(runs.end(), facts.runs.begin(),
                facts.runs.begin() + static_cast<std::ptrdiff_t>(kept));
    runs_dropped += static_cast<std::uint64_t>(
        std::count_if(facts.runs.begin() + static_cast<std::ptrdiff_t>(kept), facts.runs.end(),
                      [](const DamagedRun& run) { return run.certain; }));
  }
};

class Verifier final : public engine::Operator {
 public:
  Verifier(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
           const StreamingOptions& options)
      : pairs_(pairs) {
    for (const TensorPair& pair : pairs) {
      states_.push_back({.checksum = TensorChecksum(pair.bytes_of(pair.elements()))});
    }
    for (int i = 0; i < thread_count(options.threads); ++i) {
      checkers_.emplace_back(pairs, imatrix, options.isa, options.stop);
    }
  }

  void run(engine::Task& task, int worker) override {
    for (const PairChunk& chunk : chunks_of(pairs_, task)) {
      ChunkFacts facts = checkers_[static_cast<std::size_t>(worker)].check(chunk);
      const std::lock_guard lock(mutex_);
      states_[chunk.pair].add(pairs_[chunk.pair], chunk, std::move(facts));
    }
  }

  /// Once all is done.
  VerifiedTensor report(std::size_t index, FindingList& findings) {
    const TensorPair& pair = pairs_[index];
    TensorState& state = states_[index];
    double error = std::numeric_limits<double>::quiet_NaN();
    if (pair.copied()) error = 0;
    if (pair.source != nullptr && !pair.copied()) error = state.errors.relative();
    const std::uint64_t bad_regions = add_findings(pair, std::move(state.runs), findings);
    findings.count_more(state.runs_dropped);
    return {.name = pair.tensor->name,
            .type = pair.tensor->type,
            .shape = pair.tensor->shape,
            .bytes = pair.tensor->size,
            .crc32 = state.checksum.value(),
            .bad_regions = bad_regions,
            .plain_error = error,
            .all_zero = pair.tensor->size > 0 && !state.any_nonzero};
  }

 private:
  std::span<const TensorPair> pairs_;
  std::vector<ChunkChecker> checkers_;  // one for each worker
  std::mutex mutex_;
  std::vector<TensorState> states_;
};

}  // namespace

void check_tensors(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
                   const StreamingOptions& options, Observer& observer, FindingList& findings,
                   VerifyReport& report) {
  const std::uint64_t held = engine::held_memory(options);
  Verifier verifier(pairs, imatrix, options);
  const PairRun run =
      run_pairs(pairs, verifier, ChunkChecker::memory_bytes(pairs), held, options, observer);
  ZeroTensors zeros;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    report.tensors.push_back(verifier.report(i, findings));
    const VerifiedTensor& tensor = report.tensors.back();
    zeros.add(tensor.name, tensor.shape, tensor.all_zero);
  }
  if (const std::string note = zeros.note(); !note.empty()) observer.note(note);
  report.read_bytes = run.read_bytes;
  report.cached_bytes = run.cached_bytes;
  report.io = run.io;
  report.shared_spindle = run.shared_spindle;
}

}  // namespace sluice
