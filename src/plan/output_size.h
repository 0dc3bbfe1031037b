#pragma once

#include <cstdint>

#include "plan/plan.h"
#include "sluice/split.h"

namespace sluice {

/// Bytes of an output beside its tensors and their padding: the headers of all its files.
///
/// Types have no part in them but for how many files a limit of bytes makes, of which as many are
/// counted as there may be.
/// \param plan       the same output in any types
/// \param alignment  of its tensors
/// \param size       of the tensors, padding included, at most
std::uint64_t header_bytes(const Plan& plan, const SplitOptions& split, std::uint64_t alignment,
                           std::uint64_t size);

}  // namespace sluice
