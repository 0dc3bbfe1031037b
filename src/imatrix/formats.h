#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "imatrix/importance_matrix.h"

namespace sluice::imatrix {

/// Indexes the older format, little-endian: `i32 entries`; for each `i32 length`, name, `i32
/// calls`, `i32 n`, `f32 values[n]` (sums over the calls, if that number is positive); then, in
/// newer files, `i32 chunks`, `i32 length`, name of the data set. \throws Error (imatrix_format)
ImportanceMatrix::Index index_dat(std::span<const std::byte> bytes, const std::string& file);

/// Indexes the GGUF format: for each weight tensor NAME the F32 tensors `NAME.in_sum2` (sums of
/// squares) and `NAME.counts` (how many rows were summed: one number for each expert, or one for
/// all).
/// \throws Error (imatrix_format)
ImportanceMatrix::Index index_gguf(std::span<const std::byte> bytes, const std::string& file);

}  // namespace sluice::imatrix
