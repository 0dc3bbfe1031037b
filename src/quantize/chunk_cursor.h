#pragma once

#include <cstdint>
#include <memory>

#include "base/interval_set.h"
#include "plan/plan.h"
#include "quantize/chunk.h"

namespace sluice {

/// Walks through a plan's chunks in the order in which their input lies on the disk, computing each
/// when it is asked for: the list for 800 GB would take megabytes.
class ChunkCursor {
 public:
  /// No chunk has more than `chunk_bytes` of input and output together, unless what must stay
  /// together has.
  /// \param done  of the output's address space: chunks all of whose results lie there are left out
  ChunkCursor(const Plan& plan, std::uint64_t chunk_bytes, IntervalSet done = {})
      : plan_(plan),
        done_(std::move(done)),
        bands_(std::make_unique<weights::BandCursor>(*plan.weights, plan.wanted, chunk_bytes)) {}

  /// The next chunk, without its factors and its matrix; null: there are no more.
  std::unique_ptr<Chunk> next();

  /// Bytes of input of the chunks that are left out.
  static std::uint64_t input_done(const Plan& plan, std::uint64_t chunk_bytes,
                                  const IntervalSet& done);

 private:
  bool is_done(const Chunk& chunk) const;

  const Plan& plan_;
  const IntervalSet done_;
  std::unique_ptr<weights::BandCursor> bands_;
  std::size_t stored_ = weights::Band::kNone;  // that the last chunk was of
};

/// Bytes of a row of a piece of this tensor in the output.
std::uint64_t output_row_bytes(const Plan& plan, std::uint32_t tensor);

}  // namespace sluice
