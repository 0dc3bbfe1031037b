#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "base/interval_set.h"
#include "engine/work.h"
#include "plan/plan.h"

namespace sluice {

/// Walks through a plan's chunks in the order in which their input lies on the disk, computing each
/// when it is asked for: the list for 800 GB would take megabytes. A chunk is whole rows of one
/// expert or, of a tensor that is copied, whole blocks; its result is followed by the zeros after
/// the tensor, if it is the tensor's last.
class ChunkCursor final : public engine::Producer {
 public:
  /// No chunk has more than `chunk_bytes` of input and output together, unless a single row has.
  /// \param done  of the output's address space: chunks that lie there are left out
  ChunkCursor(const Plan& plan, std::uint64_t chunk_bytes, IntervalSet done = {})
      : plan_(plan), chunk_bytes_(chunk_bytes), done_(std::move(done)) {}

  std::optional<engine::Unit> next(std::stop_token ended) override;

  /// Bytes of input of the chunks that are left out.
  static std::uint64_t input_done(const Plan& plan, std::uint64_t chunk_bytes,
                                  const IntervalSet& done);

 private:
  std::optional<engine::Unit> next_of_all();

  const Plan& plan_;
  const std::uint64_t chunk_bytes_;
  const IntervalSet done_;
  std::size_t order_ = 0;        // in plan_.reading_order
  std::uint64_t next_atom_ = 0;  // of that tensor
};

/// The least bytes of input and output that a chunk of this tensor can have.
std::uint64_t smallest_chunk_bytes(const PlannedTensor& tensor);

}  // namespace sluice
