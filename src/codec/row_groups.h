#pragma once

#include <cstddef>

#include "sluice/codec.h"

namespace sluice {

/// The least number of rows, not below `rows`, of which a type can store a matrix.
std::size_t whole_groups(TensorType type, std::size_t rows) noexcept;

/// Decodes rows [first, first + count) of a matrix whose first row begins at `bytes`, also where they are
/// only some of those that are stored together.
/// \pre codec.decode is not null
void decode_some_rows(const Codec& codec, const std::byte* bytes, std::size_t first,
                      std::size_t count, std::size_t row_elements, float* out);

}  // namespace sluice
