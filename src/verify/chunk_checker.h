#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/error_range.h"
#include "sluice/verify.h"
#include "verify/pair_stream.h"
#include "verify/tensor_pairs.h"

namespace sluice {

/// Neighbouring regions with the same fault.
struct DamagedRun {
  Fault fault;
  std::uint64_t first_element;
  std::uint64_t end_element;
  double error = 0;  ///< the largest, and the limit there
  double limit = 0;
  bool certain = true;  ///< false: one region of it alone would not be damage
};

/// What a chunk came to.
struct ChunkFacts {
  std::uint32_t crc32 = 0;
  double error = 0;  ///< sum (x - y)^2, and
  double norm = 0;   ///< sum x^2, of the regions that could be compared
  std::vector<DamagedRun> runs;
};

/// Weights of the output's regions that belong together: a block, or 256 of an unblocked type.
std::uint64_t region_elements(TensorType type);

/// Checks chunks, with buffers that are allocated once. One for each thread.
class ChunkChecker {
 public:
  /// \param longest_row  of tensors with importance; 0: none has
  ChunkChecker(std::span<const TensorPair> pairs, const ImportanceMatrix* imatrix, Isa isa,
               std::uint64_t longest_row);

  /// Bytes that a checker allocates.
  static std::uint64_t memory_bytes(std::uint64_t longest_row);

  /// \param blocks  the output's bytes
  /// \param source  the source's; empty if there is nothing to compare with
  ChunkFacts check(const PairChunk& chunk, std::span<const std::byte> blocks,
                   std::span<const std::byte> source);

 private:
  class Runs;

  void compare(const TensorPair& pair, const PairChunk& chunk, std::span<const std::byte> blocks,
               std::span<const std::byte> source, ChunkFacts& facts, Runs& runs);
  std::span<const float> importance_of(const TensorPair& pair, std::uint64_t expert);

  std::span<const TensorPair> pairs_;
  const ImportanceMatrix* imatrix_;
  Isa isa_;
  std::vector<float> values_;
  std::vector<float> decoded_;
  std::vector<float> importance_;
  const TensorPair* row_of_ = nullptr;  // whose importance is in importance_
  std::uint64_t row_expert_ = 0;
};

}  // namespace sluice
