#include "verify/comparer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>

#include "base/stop.h"
#include "base/threads.h"
#include "codec/measures.h"
#include "engine/memory_plan.h"
#include "engine/work.h"
#include "sluice/codec.h"
#include "verify/published_rows.h"

namespace sluice {
namespace {

// 64 KiB of F32 twice: they stay in the second-level cache between decoding and comparing. A
// multiple of every block.
constexpr std::size_t kStripElements = 16384;

/// What is known of a pair so far.
struct PairSums {
  ErrorSums errors{};
  std::uint64_t not_finite = 0;
  std::uint64_t differing_bytes = 0;

  PairSums& operator+=(const PairSums& other) {
    errors += other.errors;
    not_finite += other.not_finite;
    differing_bytes += other.differing_bytes;
    return *this;
  }
};

// Takes what cannot be compared out of both: what is left are zeros.
std::uint64_t drop_not_finite(std::span<float> x, std::span<float> y) {
  std::uint64_t dropped = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(x[i]) && std::isfinite(y[i])) continue;
    if (std::bit_cast<std::uint32_t>(x[i]) != std::bit_cast<std::uint32_t>(y[i])) ++dropped;
    x[i] = y[i] = 0;
  }
  return dropped;
}

std::uint64_t count_differing(std::span<const std::byte> a, std::span<const std::byte> b) {
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

class Comparer final : public engine::Operator {
 public:
  Comparer(std::span<const TensorPair> pairs, const StreamingOptions& options)
      : pairs_(pairs), options_(options), sums_(pairs.size()) {
    const std::uint64_t strip = longest_strip(pairs, kStripElements);
    for (int i = 0; i < thread_count(options.threads); ++i) {
      strips_.push_back({std::vector<float>(strip), std::vector<float>(strip)});
    }
  }

  static std::uint64_t scratch_bytes(std::span<const TensorPair> pairs) {
    return 2 * longest_strip(pairs, kStripElements) * sizeof(float);
  }

  void run(engine::Task& task, int worker) override {
    for (const PairChunk& chunk : chunks_of(pairs_, task)) {
      const TensorPair& pair = pairs_[chunk.pair];
      PairSums found;
      if (pair.copied()) found.differing_bytes = count_differing(chunk.blocks, chunk.source);
      if (decodable(pair)) measure(chunk, strips_[static_cast<std::size_t>(worker)], found);
      const std::lock_guard lock(mutex_);
      sums_[chunk.pair] += found;
    }
  }

  /// Once all is done.
  PairDifference difference(std::size_t index) const;

 private:
  struct Strip {
    std::vector<float> x;  // of the source
    std::vector<float> y;
  };

  static bool decodable(const TensorPair& pair) {
    return (pair.published || can_decode(pair.source->type)) && can_decode(pair.tensor->type);
  }

  void measure(const PairChunk& chunk, Strip& strip, PairSums& found) const {
    const TensorPair& pair = pairs_[chunk.pair];
    const TensorType type = pair.tensor->type;
    const std::uint64_t most = strip_elements(pair, kStripElements);
    for (std::uint64_t done = 0; done < chunk.elements; done += most) {
      throw_if_stopped(options_.stop);
      const std::size_t count = std::min(most, chunk.elements - done);
      std::span<float> x = std::span(strip.x).first(count);
      std::span<float> y = std::span(strip.y).first(count);
      decode_rows(*find_codec(type, options_.isa), chunk.blocks.data() + pair.bytes_of(done), count,
                  pair.row_elements(), y.data());
      chunk.decode_source(pair, done, options_.isa, x);
      if (pair.turned) std::swap(x, y);
      ErrorSums sums = plain_errors(x, y.data());
      // Sums of what is not finite are not finite, and nothing else is: squares of floats fit.
      if (!std::isfinite(sums.error + sums.norm + sums.decoded_norm)) {
        found.not_finite += drop_not_finite(x, y);
        sums = plain_errors(x, y.data());
      }
      found.errors += sums;
    }
  }

  std::span<const TensorPair> pairs_;
  const StreamingOptions options_;
  std::vector<Strip> strips_;  // one for each worker
  std::mutex mutex_;
  std::vector<PairSums> sums_;
};

PairDifference Comparer::difference(std::size_t index) const {
  const TensorPair& pair = pairs_[index];
  const PairSums& sums = sums_[index];
  PairDifference result;
  if (pair.copied()) result.differing_bytes = sums.differing_bytes;
  if (!decodable(pair)) return result;
  const auto& [error, x, y, largest] = sums.errors;
  Difference& difference = result.difference.emplace();
  difference.squared_error = error;
  difference.power = x;
  difference.error = x > 0 ? error / x : error > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  const double norms = std::sqrt(x) * std::sqrt(y);
  const double product = (x + y - error) / 2;  // sum xy, for (x - y)^2 = x^2 + y^2 - 2xy
  difference.cosine = norms > 0 ? product / norms : x == y ? 1.0 : 0.0;
  difference.max_absolute = largest;
  difference.not_finite = sums.not_finite;
  return result;
}

}  // namespace

std::vector<PairDifference> compare_pairs(std::span<const TensorPair> pairs,
                                          const StreamingOptions& options, Observer& observer,
                                          PairRun& run) {
  const std::uint64_t held = engine::held_memory(options);
  Comparer comparer(pairs, options);
  run = run_pairs(pairs, comparer, Comparer::scratch_bytes(pairs), held, options, observer);
  std::vector<PairDifference> differences;
  for (std::size_t i = 0; i < pairs.size(); ++i) differences.push_back(comparer.difference(i));
  return differences;
}

}  // namespace sluice
