#pragma once

#include <cstdint>
#include <vector>

namespace sluice::measure {

/// Neighbouring rows of a matrix.
struct RowRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// The matrices that stand for a tensor's: all, or where each must be read whole for some of its rows, a few,
/// evenly spread.
std::vector<std::uint64_t> sampled_matrices(std::uint64_t matrices, bool read_whole);

/// The rows that stand for a matrix, one of `matrices` of a tensor: runs of neighbours, evenly spread; all rows
/// of a small matrix.
/// \param row_bytes  in the file, at least 1
std::vector<RowRun> sampled_rows(std::uint64_t rows, std::uint64_t matrices,
                                 std::uint64_t row_bytes);

}  // namespace sluice::measure
