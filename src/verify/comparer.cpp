#include "verify/comparer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "sluice/codec.h"
#include "verify/pair_stream.h"

namespace sluice {
namespace {

// 64 KiB of F32 twice: they stay in the second-level cache between decoding and comparing. A
// multiple of every block.
constexpr std::size_t kTileElements = 16384;

// Partial sums that do not wait for one another: a double addition takes four cycles.
constexpr std::size_t kLanes = 8;

struct Sums {
  double error = 0;
  double norm_x = 0;
  double norm_y = 0;
  double product = 0;
  double max_absolute = 0;
  std::uint64_t not_finite = 0;
  std::uint64_t differing_bytes = 0;

  Sums& operator+=(const Sums& other) {
    error += other.error;
    norm_x += other.norm_x;
    norm_y += other.norm_y;
    product += other.product;
    max_absolute = std::max(max_absolute, other.max_absolute);
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

/// \pre as many elements as whole lanes
void add(std::span<const float> x, std::span<const float> y, Sums& sums) {
  double error[kLanes] = {};
  double norm_x[kLanes] = {};
  double norm_y[kLanes] = {};
  double product[kLanes] = {};
  double most[kLanes] = {};
  for (std::size_t i = 0; i < x.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double a = x[i + lane];
      const double b = y[i + lane];
      const double difference = a - b;
      error[lane] += difference * difference;
      norm_x[lane] += a * a;
      norm_y[lane] += b * b;
      product[lane] += a * b;
      const double magnitude = std::abs(difference);
      most[lane] = magnitude > most[lane] ? magnitude : most[lane];
    }
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sums += {error[lane], norm_x[lane], norm_y[lane], product[lane], most[lane], 0, 0};
  }
}

std::uint64_t count_differing(std::span<const std::byte> a, std::span<const std::byte> b) {
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

class CompareWorker final : public PairWorker {
 public:
  CompareWorker(std::span<const TensorPair> pairs, Isa isa, std::vector<Sums>& sums)
      : pairs_(pairs), isa_(isa), sums_(sums), x_(kTileElements), y_(kTileElements) {}

  static constexpr std::uint64_t kMemoryBytes = 2 * kTileElements * sizeof(float);

  void look(const PairChunk& chunk, std::span<const std::byte> blocks,
            std::span<const std::byte> source) override {
    const TensorPair& pair = pairs_[chunk.pair];
    found_ = {};
    if (pair.copied()) found_.differing_bytes = count_differing(blocks, source);
    const Codec* from = find_codec(pair.source->type, isa_);
    const Codec* to = find_codec(pair.tensor->type, isa_);
    if (from == nullptr || from->decode == nullptr || to == nullptr || to->decode == nullptr)
      return;
    for (std::uint64_t done = 0; done < chunk.elements; done += kTileElements) {
      const std::size_t count = std::min<std::uint64_t>(kTileElements, chunk.elements - done);
      const std::size_t padded = (count + kLanes - 1) / kLanes * kLanes;
      std::fill(x_.begin() + static_cast<std::ptrdiff_t>(count),
                x_.begin() + static_cast<std::ptrdiff_t>(padded), 0.0f);
      std::fill(y_.begin() + static_cast<std::ptrdiff_t>(count),
                y_.begin() + static_cast<std::ptrdiff_t>(padded), 0.0f);
      from->decode(source.data() + byte_size(pair.source->type, done), x_.data(), count);
      to->decode(blocks.data() + byte_size(pair.tensor->type, done), y_.data(), count);
      Sums tile;
      add(std::span(x_).first(padded), std::span(y_).first(padded), tile);
      // Sums of what is not finite are not finite, and nothing else is: squares of floats fit.
      if (!std::isfinite(tile.error + tile.norm_x + tile.norm_y)) {
        tile = {};
        tile.not_finite = drop_not_finite(std::span(x_).first(count), std::span(y_).first(count));
        add(std::span(x_).first(padded), std::span(y_).first(padded), tile);
      }
      found_ += tile;
    }
  }

  void hand_over(const PairChunk& chunk) override { sums_[chunk.pair] += found_; }

 private:
  std::span<const TensorPair> pairs_;
  const Isa isa_;
  std::vector<Sums>& sums_;
  std::vector<float> x_;  // of the source
  std::vector<float> y_;
  Sums found_;
};

Difference difference_of(const Sums& sums) {
  Difference difference;
  difference.error = sums.norm_x > 0  ? sums.error / sums.norm_x
                     : sums.error > 0 ? std::numeric_limits<double>::infinity()
                                      : 0.0;
  const double norms = std::sqrt(sums.norm_x) * std::sqrt(sums.norm_y);
  difference.cosine = norms > 0 ? sums.product / norms : sums.norm_x == sums.norm_y ? 1.0 : 0.0;
  difference.max_absolute = sums.max_absolute;
  difference.not_finite = sums.not_finite;
  return difference;
}

}  // namespace

std::vector<PairDifference> compare_pairs(std::span<const TensorPair> pairs,
                                          const ComparerOptions& options, Observer& observer,
                                          std::uint64_t& read_bytes) {
  std::vector<Sums> sums(pairs.size());
  read_bytes = stream_pairs(
      pairs,
      {.threads = options.threads,
       .memory = options.memory,
       .worker_bytes = CompareWorker::kMemoryBytes},
      [&] { return std::make_unique<CompareWorker>(pairs, options.isa, sums); }, observer);
  std::vector<PairDifference> differences(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].copied()) differences[i].differing_bytes = sums[i].differing_bytes;
    if (can_decode(pairs[i].source->type) && can_decode(pairs[i].tensor->type)) {
      differences[i].difference = difference_of(sums[i]);
    }
  }
  return differences;
}

}  // namespace sluice
