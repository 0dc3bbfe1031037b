#include "linear/block.h"

#include <algorithm>

namespace sluice::linear {
namespace {

std::size_t rounded_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace

std::vector<Scratch> scratches(const Team& team, std::size_t numbers) {
  std::vector<Scratch> all;
  for (int i = 0; i < team.threads(); ++i) all.emplace_back(numbers);
  return all;
}

std::size_t block_scratch(const Kernels& kernels, std::size_t columns, std::size_t depth) {
  const std::size_t numbers = kernels.tile_rows + rounded_up(columns, kernels.tile_columns);
  return numbers * std::min(depth, kDepth) + 2 * kOverrun;
}

void add_block(const Kernels& kernels, const Operand& a, const Operand& b, std::size_t depth,
               const Matrix& out, float* scratch) {
  const std::size_t width = kernels.tile_columns;
  for (std::size_t p = 0; p < depth; p += kDepth) {
    const std::size_t deep = std::min(kDepth, depth - p);
    float* const columns = scratch;
    float* const rows = scratch + rounded_up(out.columns, width) * deep + kOverrun;
    kernels.lay_columns(b.from(0, p), out.columns, deep, columns);
    for (std::size_t r = 0; r < out.rows; r += kernels.tile_rows) {
      const std::size_t height = std::min(kernels.tile_rows, out.rows - r);
      kernels.lay_rows(a.from(r, p), height, deep, rows);
      for (std::size_t c = 0; c < out.columns; c += width) {
        kernels.add_tile(rows, columns + c * deep, deep,
                         {out.row(r) + c, height, std::min(width, out.columns - c), out.stride});
      }
    }
  }
}

}  // namespace sluice::linear
