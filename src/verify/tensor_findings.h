#pragma once

#include <cstdint>
#include <vector>

#include "sluice/verify.h"
#include "verify/findings.h"
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

/// Weights of the output's regions that belong together: a block, or 256 of an unblocked type.
std::uint64_t region_elements(TensorType type);

/// Turns a tensor's damaged runs, in any order, into findings: runs that touch become one, and
/// single regions that are not certain are let go.
/// \returns the number of damaged regions
std::uint64_t add_findings(const TensorPair& pair, std::vector<DamagedRun> runs,
                           FindingList& findings);

}  // namespace sluice
