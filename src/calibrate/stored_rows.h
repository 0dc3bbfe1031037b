#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "calibrate/matrix_map.h"
#include "calibrate/range_reader.h"
#include "linear/matrix.h"
#include "sluice/codec.h"

namespace sluice::calibrate {

/// Reads bands, which weights::bands_of_rows() gave. \throws Error (input_read, input_truncated, interrupted)
std::shared_ptr<const MatrixBytes> read_bands(std::vector<weights::Band> bands,
                                              RangeReader& reader);

/// A matrix whose bytes are in memory as the files have them. Decoding throws Error (input_value) that names
/// tensor and place where a weight is no finite number.
/// \param map  outlives what is made
std::shared_ptr<const linear::Rows> rows_in_memory(const MatrixMap& map, const MatrixId& matrix,
                                                   std::shared_ptr<const MatrixBytes> bytes,
                                                   Isa isa);

/// A matrix of which only a few rows are in memory at a time: those that are asked for are read with
/// their neighbours, so that it is best asked from its first row to its last.
/// \param map, reader  outlive what is made
/// \param groups       of neighbours that are kept
std::shared_ptr<const linear::Rows> rows_on_disk(const MatrixMap& map, const MatrixId& matrix,
                                                 RangeReader& reader, std::size_t groups, Isa isa);

/// Whether rows of a matrix can be read without reading much else: not those of a transposed one.
bool reads_by_rows(const MatrixMap& map, const MatrixId& matrix);

/// Bytes of a group of neighbours, if they are more than one.
inline constexpr std::uint64_t kGroupBytes = std::uint64_t{1} << 20;

}  // namespace sluice::calibrate
