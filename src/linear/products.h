#pragma once

#include <cstddef>
#include <cstdint>

#include "base/team.h"
#include "linear/matrix.h"
#include "sluice/codec.h"

// Products of matrices. Each number of a result is one sum, in the order of the index that is summed
// over, of fused multiply-adds that begin with what is there (or zero): the bits depend neither on the
// instruction set, nor on the number of threads, nor on how many rows, columns or tokens come at once.

namespace sluice::linear {

/// out [m, n] = a [m, k] b [n, k]^T
void multiply(const ConstMatrix& a, const ConstMatrix& b, const Matrix& out, Isa isa, Team& team);

/// The same with rows of b made on the way, some at a time.
void multiply(const ConstMatrix& a, const Rows& b, const Matrix& out, Isa isa, Team& team);

/// At most so many bytes that takes for itself.
std::uint64_t multiply_bytes(std::size_t depth, int threads);

/// out [m, n] += a [m, k] b [k, n]
void add_product(const ConstMatrix& a, const ConstMatrix& b, const Matrix& out, Isa isa,
                 Team& team);

}  // namespace sluice::linear
