#include <algorithm>
#include <cstring>

#include "linear/kernels.h"
#include "linear/kernels/delta_step.h"
#include "linear/kernels/functions.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

using Part = simd::Part<float>;
constexpr std::size_t kLanes = Part::kLanes;

// As many sums as registers hold beside the factors of a step: 28 of 32, 12 of 16.
constexpr std::size_t kTileParts = 2;
constexpr std::size_t kTileColumns = kTileParts * kLanes;
constexpr std::size_t kTileRows = kLanes == 16 ? 14 : 6;

/// Rows to columns, kLanes by kLanes; what is beyond `count` and `depth` is not read.
static void load_square(const float* from, std::size_t stride, std::size_t count, std::size_t depth,
                        Part (&square)[kLanes]) noexcept {
  if (depth >= kLanes) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kLanes; ++i) {
      square[i] = i < count ? Part::load(from + i * stride) : Part(0.0f);
    }
  } else {
    float rows[kLanes][kLanes] = {};
    for (std::size_t i = 0; i < std::min(count, kLanes); ++i) {
      std::memcpy(rows[i], from + i * stride, depth * sizeof(float));
    }
    for (std::size_t i = 0; i < kLanes; ++i) square[i] = Part::load(rows[i]);
  }
  transpose(square);
}

/// One run of up to `Width` numbers. Elements are stored in ascending order, since the zeros beyond a
/// run are where the next element goes.
template <std::size_t Width>
static void lay_run(const linear::Operand& a, std::size_t count, std::size_t depth,
                    float* to) noexcept {
  if (a.deep && count == Width) {  // so many bytes are a few instructions
    for (std::size_t p = 0; p < depth; ++p, to += Width) {
      std::memcpy(to, a.data + p * a.stride, Width * sizeof(float));
    }
    return;
  }
  if (a.deep) {
    for (std::size_t p = 0; p < depth; ++p, to += Width) {
      std::memcpy(to, a.data + p * a.stride, count * sizeof(float));
      std::fill(to + count, to + Width, 0.0f);
    }
    return;
  }
  constexpr std::size_t kSquares = (Width + kLanes - 1) / kLanes;
  for (std::size_t p = 0; p < depth; p += kLanes) {
    Part squares[kSquares][kLanes];
    for (std::size_t s = 0; s < kSquares; ++s) {
      const std::size_t first = std::min(s * kLanes, count);
      load_square(a.data + first * a.stride + p, a.stride, count - first, depth - p, squares[s]);
    }
    for (std::size_t i = 0; i < std::min(kLanes, depth - p); ++i) {
      for (std::size_t s = 0; s < kSquares; ++s) {
        squares[s][i].store(to + (p + i) * Width + s * kLanes);
      }
    }
  }
}

template <std::size_t Width>
static void lay(const linear::Operand& a, std::size_t count, std::size_t depth,
                float* to) noexcept {
  for (std::size_t i = 0; i < count; i += Width, to += Width * depth) {
    lay_run<Width>(a.from(i, 0), std::min(Width, count - i), depth, to);
  }
}

static void add_whole_tile(const float* rows, const float* columns, std::size_t depth, float* out,
                           std::size_t stride) noexcept {
  Part sums[kTileRows][kTileParts];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t c = 0; c < kTileParts; ++c) {
      sums[r][c] = Part::load(out + r * stride + c * kLanes);
    }
  }
  for (std::size_t p = 0; p < depth; ++p, rows += kTileRows, columns += kTileColumns) {
    Part b[kTileParts];
#pragma GCC unroll 2
    for (std::size_t c = 0; c < kTileParts; ++c) b[c] = Part::load(columns + c * kLanes);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kTileRows; ++r) {
      const Part a(rows[r]);
#pragma GCC unroll 2
      for (std::size_t c = 0; c < kTileParts; ++c) {
        sums[r][c] = fused_multiply_add(a, b[c], sums[r][c]);
      }
    }
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t c = 0; c < kTileParts; ++c) sums[r][c].store(out + r * stride + c * kLanes);
  }
}

static void add_tile(const float* rows, const float* columns, std::size_t depth,
                     const linear::Matrix& out) noexcept {
  if (out.rows == kTileRows && out.columns == kTileColumns) {
    add_whole_tile(rows, columns, depth, out.data, out.stride);
    return;
  }
  float whole[kTileRows][kTileColumns] = {};
  for (std::size_t r = 0; r < out.rows; ++r) {
    std::memcpy(whole[r], out.row(r), out.columns * sizeof(float));
  }
  add_whole_tile(rows, columns, depth, whole[0], kTileColumns);
  for (std::size_t r = 0; r < out.rows; ++r) {
    std::memcpy(out.row(r), whole[r], out.columns * sizeof(float));
  }
}

static void solve(const linear::Matrix& rows, const float* minus, const float* pivots) noexcept {
  using linear::kStrip;
  for (std::size_t r = 0; r < rows.rows; r += kLanes) {
    const std::size_t count = std::min(kLanes, rows.rows - r);
    Part columns[kStrip];
    for (std::size_t c = 0; c < rows.columns; c += kLanes) {
      Part square[kLanes];
      load_square(rows.row(r) + c, rows.stride, count, rows.columns - c, square);
      std::copy_n(square, kLanes, columns + c);
    }
    for (std::size_t j = rows.columns; j-- > 0;) {
      Part sum = columns[j];
      for (std::size_t k = j + 1; k < rows.columns; ++k) {
        sum = fused_multiply_add(columns[k], Part(minus[j * kStrip + k]), sum);
      }
      columns[j] = sum / pivots[j];
    }
    for (std::size_t c = 0; c < rows.columns; c += kLanes) {
      Part square[kLanes];
      std::copy_n(columns + c, kLanes, square);
      transpose(square);
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(rows.row(r + i) + c, &square[i],
                    std::min(kLanes, rows.columns - c) * sizeof(float));
      }
    }
  }
}

const linear::Kernels& linear_kernels() noexcept {
  static const linear::Kernels kKernels = {
      .tile_rows = kTileRows,
      .tile_columns = kTileColumns,
      .lay_rows = lay<kTileRows>,
      .lay_columns = lay<kTileColumns>,
      .add_tile = add_tile,
      .solve = solve,
      .delta_step = delta_step,
      .functions = linear_functions(),
  };
  return kKernels;
}

}  // namespace sluice::inline SLUICE_ISA
