#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "checkpoint/found_entry.h"

namespace sluice::checkpoint {

/// A tensor of what the factors of another have in common.
struct CommonFactors {
  std::size_t stored = 0;  ///< index of the weights
  FoundEntry found;
};

/// Reads numbers that headers do not tell, those near to one another at once, into the scales of the
/// weights that they belong to.
/// \throws Error (input_format) naming the tensor: not one number in F32, nor one for each matrix; or
///         a number that is not positive
void read_common_factors(const Folder& folder, std::span<const CommonFactors> all,
                         std::vector<Stored>& stored);

}  // namespace sluice::checkpoint
