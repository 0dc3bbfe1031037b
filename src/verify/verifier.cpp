#include "verify/verifier.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "verify/chunk_checker.h"
#include "verify/pair_stream.h"
#include "verify/tensor_findings.h"

namespace sluice {
namespace {

/// What is known of a tensor so far.
struct TensorState {
  TensorChecksum checksum;
  std::uint64_t runs_dropped = 0;
  double error = 0;
  double norm = 0;
  std::vector<DamagedRun> runs = {};

  void add(const TensorPair& pair, const PairChunk& chunk, ChunkFacts&& facts) {
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

/// One thread's checker.
class CheckWorker final : public PairWorker {
 public:
  CheckWorker(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix, Isa isa,
              std::uint64_t longest_row, std::vector<TensorState>& states)
      : pairs_(pairs), checker_(pairs, imatrix, isa, longest_row), states_(states) {}

  void look(const PairChunk& chunk, std::span<const std::byte> blocks,
            std::span<const std::byte> source) override {
    facts_ = checker_.check(chunk, blocks, source);
  }

  void hand_over(const PairChunk& chunk) override {
    states_[chunk.pair].add(pairs_[chunk.pair], chunk, std::move(facts_));
  }

 private:
  std::span<const TensorPair> pairs_;
  ChunkChecker checker_;
  ChunkFacts facts_;
  std::vector<TensorState>& states_;
};

class Verifier {
 public:
  explicit Verifier(std::span<const TensorPair> pairs) : pairs_(pairs) {
    for (const TensorPair& pair : pairs) {
      states_.push_back({.checksum = TensorChecksum(pair.tensor->size)});
    }
  }

  void run(const ImportanceMatrix* imatrix, const VerifierOptions& options, Observer& observer) {
    const std::uint64_t longest = longest_row();
    read_bytes_ = stream_pairs(
        pairs_,
        {.threads = options.threads,
         .memory = options.memory,
         .worker_bytes = ChunkChecker::memory_bytes(longest)},
        [&] {
          return std::make_unique<CheckWorker>(pairs_, imatrix, options.isa, longest, states_);
        },
        observer);
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
    report.read_bytes = read_bytes_;
  }

 private:
  std::uint64_t longest_row() const {
    std::uint64_t longest = 0;
    for (const TensorPair& pair : pairs_) {
      if (pair.importance != nullptr) longest = std::max(longest, pair.row_elements());
    }
    return longest;
  }

  std::span<const TensorPair> pairs_;
  std::vector<TensorState> states_;
  std::uint64_t read_bytes_ = 0;
};

}  // namespace

void check_tensors(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
                   const VerifierOptions& options, Observer& observer, FindingList& findings,
                   VerifyReport& report) {
  Verifier verifier(pairs);
  verifier.run(imatrix, options, observer);
  verifier.report(findings, report);
}

}  // namespace sluice
