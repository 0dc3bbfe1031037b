#pragma once

#include <cstddef>

#include "linear/delta_rule.h"
#include "linear/matrix.h"
#include "sluice/codec.h"

namespace sluice::linear {

/// A factor of a product as [count, depth], `depth` being what is summed over: of number i, element p
/// is data[i * stride + p], or data[p * stride + i] if it is `deep`.
struct Operand {
  const float* data;
  std::size_t stride;
  bool deep;

  /// From number i and element p on.
  Operand from(std::size_t i, std::size_t p) const {
    return {deep ? data + p * stride + i : data + i * stride + p, stride, deep};
  }
};

/// So many elements of each number are summed up before others' are.
inline constexpr std::size_t kDepth = 256;
/// So many columns the factor is eliminated by at a time.
inline constexpr std::size_t kStrip = 32;

/// Those of linear/functions.h.
struct Functions {
  void (*rms_norm)(const float* x, const float* weights, std::size_t n, float epsilon,
                   float* out) noexcept;
  void (*l2_norm)(float* x, std::size_t n, float epsilon) noexcept;
  void (*add)(float* x, const float* y, std::size_t n) noexcept;
  void (*softmax)(float* x, std::size_t n, const float* sink) noexcept;
  void (*soft_cap)(float* x, std::size_t n, float cap) noexcept;
  void (*silu)(float* x, std::size_t n) noexcept;
  void (*silu_gate)(float* gate, const float* up, std::size_t n) noexcept;
  void (*gelu_gate)(float* gate, const float* up, std::size_t n) noexcept;
  void (*clamped_silu_gate)(float* gate, const float* up, std::size_t n) noexcept;
  void (*sigmoid)(float* x, std::size_t n) noexcept;
};

/// What is compiled once for each instruction set. A tile is as much of a product as registers hold.
struct Kernels {
  std::size_t tile_rows;
  std::size_t tile_columns;

  /// Lays numbers out as tiles take them: `count` side by side for each element, in runs of
  /// tile_rows, or tile_columns; what the last run lacks is zero. At most kDepth elements.
  /// May write kOverrun numbers more.
  void (*lay_rows)(const Operand& a, std::size_t count, std::size_t depth, float* to) noexcept;
  void (*lay_columns)(const Operand& b, std::size_t count, std::size_t depth, float* to) noexcept;

  /// out += the sums of products of what was laid out.
  /// \param out  no more than a tile
  void (*add_tile)(const float* rows, const float* columns, std::size_t depth,
                   const Matrix& out) noexcept;

  /// Solves X diag(D) U^T = rows for X, U unit upper triangular, in place.
  /// \param rows    at most kStrip columns
  /// \param minus   [columns, kStrip] of row j, column k > j: -U_jk D_k
  /// \param pivots  D; where it is infinite, X is zero
  void (*solve)(const Matrix& rows, const float* minus, const float* pivots) noexcept;

  /// See linear/delta_rule.h.
  void (*delta_step)(const DeltaStep& step, float* state, float* values,
                     std::size_t columns) noexcept;

  Functions functions;
};

/// Numbers that lay_rows and lay_columns may write beyond the end.
inline constexpr std::size_t kOverrun = 16;

/// \pre `isa` is one of supported_isas()
const Kernels& kernels(Isa isa) noexcept;

}  // namespace sluice::linear
