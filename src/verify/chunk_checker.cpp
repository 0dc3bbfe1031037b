#include "verify/chunk_checker.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checksum.h"

namespace sluice {
namespace {

// 64 KiB of F32 twice: they stay in the second-level cache between decoding and comparing. A
// multiple of every region.
constexpr std::size_t kTileElements = 16384;

}  // namespace

std::uint64_t region_elements(TensorType type) {
  constexpr std::uint64_t kFloats = 256;
  const std::uint64_t block = info(type).block_elements;
  return block > 1 ? block : kFloats;
}

/// Collects damaged regions, which come in order, as runs.
class ChunkChecker::Runs {
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

std::uint64_t ChunkChecker::memory_bytes(std::uint64_t longest_row) {
  return (2 * kTileElements + longest_row) * sizeof(float);
}

ChunkChecker::ChunkChecker(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix,
                           Isa isa, std::uint64_t longest_row)
    : pairs_(pairs),
      imatrix_(imatrix),
      isa_(isa),
      values_(kTileElements),
      decoded_(kTileElements),
      importance_(longest_row) {}

ChunkFacts ChunkChecker::check(const PairChunk& chunk, std::span<const std::byte> blocks,
                               std::span<const std::byte> source) {
  const TensorPair& pair = pairs_[chunk.pair];
  const TensorType type = pair.tensor->type;
  ChunkFacts facts;
  facts.crc32 = crc32_of(blocks);

  // Scales first, in one pass; only where that fails, region by region.
  const std::uint64_t region = region_elements(type);
  const std::uint64_t block = info(type).block_elements;
  const Codec* codec = find_codec(type, isa_);
  Runs runs(facts, chunk.first_element);
  const auto finite = [&](std::uint64_t start, std::uint64_t count) {
    return codec == nullptr ||
           codec->scales_finite(blocks.data() + byte_size(type, start), count / block);
  };
  if (!finite(0, chunk.elements)) {
    for (std::uint64_t i = 0; i < chunk.elements; i += region) {
      const std::uint64_t count = std::min(region, chunk.elements - i);
      if (!finite(i, count)) runs.add(Fault::scale, i, count);
    }
  }
  if (pair.source == nullptr) return facts;

  if (!pair.copied()) {
    compare(pair, chunk, blocks, source, facts, runs);
  } else if (std::memcmp(blocks.data(), source.data(), blocks.size()) != 0) {
    for (std::uint64_t i = 0; i < chunk.elements; i += region) {
      const std::uint64_t count = std::min(region, chunk.elements - i);
      const std::size_t at = byte_size(type, i);
      if (std::memcmp(&blocks[at], &source[at], byte_size(type, count)) != 0) {
        runs.add(Fault::copy, i, count);
      }
    }
  }
  return facts;
}

void ChunkChecker::compare(const TensorPair& pair, const PairChunk& chunk,
                           std::span<const std::byte> blocks, std::span<const std::byte> source,
                           ChunkFacts& facts, Runs& runs) {
  const TensorType type = pair.tensor->type;
  const TensorType source_type = pair.source->type;
  const Codec& from = *find_codec(source_type, isa_);
  const Codec& codec = *find_codec(type, isa_);
  const ErrorRange range(type, isa_);
  const std::span<const float> importance =
      importance_of(pair, chunk.first_element / pair.expert_elements());
  const bool source_finite =
      from.scales_finite(source.data(), chunk.elements / info(source_type).block_elements);

  for (std::uint64_t done = 0; done < chunk.elements; done += kTileElements) {
    const std::size_t count = std::min<std::uint64_t>(kTileElements, chunk.elements - done);
    const std::span<float> values = std::span(values_).first(count);
    const std::span<float> decoded = std::span(decoded_).first(count);
    from.decode(source.data() + byte_size(source_type, done), values.data(), count);
    codec.decode(blocks.data() + byte_size(type, done), decoded.data(), count);
    range.judge_all(
        values, decoded, importance, (chunk.first_element + done) % pair.row_elements(),
        [&](std::size_t start, std::size_t size, const Judgement& judgement) {
          if (!std::isfinite(judgement.error)) {
            const auto region = values.subspan(start, size);
            if (!source_finite && !std::all_of(region.begin(), region.end(),
                                               [](float x) { return std::isfinite(x); })) {
              runs.add(Fault::source, done + start, size);
            }
            return;
          }
          facts.error += judgement.error;
          facts.norm += judgement.norm;
          if (judgement.excess) {
            runs.add(Fault::error, done + start, size, *judgement.excess);
          }
        });
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

}  // namespace sluice
