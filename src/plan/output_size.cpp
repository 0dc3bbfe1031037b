#include "plan/output_size.h"

#include <algorithm>

#include "gguf/split.h"

namespace sluice {
namespace {

/// Bytes of a file's header beside metadata, tensors and padding: its counts, the split keys and the
/// alignment's key.
constexpr std::uint64_t kPartBytes = 160;

}  // namespace

std::uint64_t header_bytes(const Plan& plan, const SplitOptions& split, std::uint64_t alignment,
                           std::uint64_t size) {
  std::uint64_t bytes = 0;
  for (const OutputPart& part : plan.parts) bytes += part.header.size();
  if (split.max_bytes == 0) return bytes;
  // Two neighbours together have more than a file can.
  const std::uint64_t parts = std::min(2 * (size / split.max_bytes) + 2, gguf::kMostParts);
  return bytes + parts * (kPartBytes + alignment);
}

}  // namespace sluice
