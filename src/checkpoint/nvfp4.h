#pragma once

#include <string_view>

#include "checkpoint/found_entry.h"

namespace sluice::checkpoint {

/// Weights in NVFP4: two E2M1 codes a byte, and a factor in E4M3 for each 16 that are multiplied with
/// one another. These lie along the rows, [..., rows, columns / 2] with factors [..., rows,
/// columns / 16], or down the columns, [..., rows / 2, columns] with factors [..., rows / 16,
/// columns], as in matrices that are stored transposed. The shapes tell.
/// \param name  of the weights
/// \throws Error (input_format) naming the tensor that is of another type or does not fit
Stored nvfp4(const FoundEntry& codes, const FoundEntry& factors, std::string_view name);

}  // namespace sluice::checkpoint
