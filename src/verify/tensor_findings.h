#pragma once

#include <vector>

#include "verify/chunk_checker.h"
#include "verify/findings.h"
#include "verify/tensor_pairs.h"

namespace sluice {

/// Turns a tensor's damaged runs, in any order, into findings: runs that touch become one, and
/// single regions that are not certain are let go.
/// \returns the number of damaged regions
std::uint64_t add_findings(const TensorPair& pair, std::vector<DamagedRun> runs,
                           FindingList& findings);

}  // namespace sluice
