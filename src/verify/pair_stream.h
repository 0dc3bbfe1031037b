#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "sluice/observer.h"
#include "verify/tensor_pairs.h"

namespace sluice {

/// A run of a tensor that is looked at at once: whole blocks of one expert.
struct PairChunk {
  std::size_t pair = 0;  ///< index
  std::uint64_t first_element = 0;
  std::uint64_t elements = 0;
};

/// What one thread does with chunks.
class PairWorker {
 public:
  virtual ~PairWorker() = default;

  /// Looks at a chunk, on the worker's own thread.
  /// \param blocks  the tensor's bytes
  /// \param source  the source's; empty if the pair has none
  virtual void look(const PairChunk& chunk, std::span<const std::byte> blocks,
                    std::span<const std::byte> source) = 0;

  /// Adds what look() found to what all workers share: one worker at a time.
  virtual void hand_over(const PairChunk& chunk) = 0;
};

struct StreamOptions {
  int threads = 1;
  std::uint64_t memory = 0;        ///< bytes for everything
  std::uint64_t worker_bytes = 0;  ///< of them, what each worker allocates for itself
};

/// Reads all pairs, chunk by chunk, in the order in which the tensors lie on the disk, and gives
/// them to `threads` workers. While a worker looks at one chunk the system reads its next.
/// \returns the bytes read
/// \throws Error (input_read, input_truncated, memory_budget), or what a worker throws
std::uint64_t stream_pairs(std::span<const TensorPair> pairs, const StreamOptions& options,
                           const std::function<std::unique_ptr<PairWorker>()>& make_worker,
                           Observer& observer);

}  // namespace sluice
