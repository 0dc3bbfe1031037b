#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>

#include "engine/memory_plan.h"
#include "engine/work.h"
#include "quantize/chunk_cursor.h"
#include "quantize/pool.h"

namespace sluice {

/// Makes units of chunks: sees to it that factors are read before, and that what comes in columns
/// has a place to wait for the others.
class ChunkProducer final : public engine::Producer {
 public:
  /// \param memory   granted
  /// \param reading  outlives this, which outlives its units
  ChunkProducer(const Plan& plan, ChunkCursor chunks, const engine::MemoryPlan& memory,
                const Reading& reading);

  std::optional<engine::Unit> next(std::stop_token ended) override;

  /// Bytes that factors take, whatever else is granted.
  static std::uint64_t factor_memory(const Plan& plan);

 private:
  bool add_factors(const std::stop_token& ended);
  bool add_matrix(Chunk& chunk, const std::stop_token& ended);

  const Plan& plan_;
  const Reading reading_;
  ChunkCursor chunks_;
  Pool<FactorWindow> windows_;
  Pool<MatrixBuffer> buffers_;
  std::deque<std::unique_ptr<Chunk>> ahead_;  // those whose factors are there, and maybe some more
  std::shared_ptr<MatrixBuffer> matrix_;      // of the last chunk that is columns
};

/// A unit for a chunk that has all it needs.
engine::Unit unit_of(const Plan& plan, std::unique_ptr<Chunk> chunk);

}  // namespace sluice
