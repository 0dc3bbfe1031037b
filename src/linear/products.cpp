#include "linear/products.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/page_buffer.h"
#include "linear/block.h"

namespace sluice::linear {
namespace {

// Rows of a matrix that is made on the way are made so many numbers at a time: what the team shares
// while it multiplies, and few waits for one another.
constexpr std::size_t kBandNumbers = std::size_t{1} << 22;
constexpr std::size_t kLeastBlock = 128;  // rows or columns: below that, laying out takes too long

/// How a result is cut into blocks, so that each thread has some.
struct Blocks {
  std::size_t rows;
  std::size_t columns;

  Blocks(const Matrix& out, int threads)
      : rows(std::max(out.rows, std::size_t{1})),
        columns(std::min(std::max(out.columns, std::size_t{1}), kBlockColumns)) {
    if (threads == 1) return;
    const std::size_t enough = 4 * static_cast<std::size_t>(threads);
    while (count(out) < enough && std::max(rows, columns) > kLeastBlock) {
      std::size_t& larger = rows > columns ? rows : columns;
      larger = (larger + 1) / 2;
    }
  }

  std::size_t across(const Matrix& out) const { return (out.columns + columns - 1) / columns; }
  std::size_t count(const Matrix& out) const { return (out.rows + rows - 1) / rows * across(out); }
};

void clear(const Matrix& out) {
  for (std::size_t r = 0; r < out.rows; ++r) {
    std::memset(out.row(r), 0, out.columns * sizeof(float));
  }
}

/// out = a b^T, or out += a b^T
void product(const Operand& a, const Operand& b, std::size_t depth, const Matrix& out, bool add,
             Isa isa, Team& team) {
  const Kernels& kernel = kernels(isa);
  const Blocks blocks(out, team.threads());
  const std::vector<Scratch> scratch =
      scratches(team, block_scratch(kernel, blocks.columns, depth));
  team.run(blocks.count(out), [&](std::size_t task, int worker) {
    const std::size_t r = task / blocks.across(out) * blocks.rows;
    const std::size_t c = task % blocks.across(out) * blocks.columns;
    const Matrix part = {out.row(r) + c, std::min(blocks.rows, out.rows - r),
                         std::min(blocks.columns, out.columns - c), out.stride};
    if (!add) clear(part);
    add_block(kernel, a.from(r, 0), b.from(c, 0), depth, part,
              scratch[static_cast<std::size_t>(worker)].data());
  });
}

Operand rows_of(const ConstMatrix& m) {
  return {m.data, m.stride, false};
}

/// Rows that are made at a time.
std::size_t band_height(std::size_t depth) {
  return std::max(kBandNumbers / std::max(depth, std::size_t{1}), kBlockColumns);
}

}  // namespace

void multiply(const ConstMatrix& a, const ConstMatrix& b, const Matrix& out, Isa isa, Team& team) {
  product(rows_of(a), rows_of(b), a.columns, out, false, isa, team);
}

void multiply(const ConstMatrix& a, const Rows& b, const Matrix& out, Isa isa, Team& team) {
  const std::size_t depth = b.columns();
  const std::size_t height = std::min(band_height(depth), b.rows());
  constexpr std::size_t kAtOnce = 16;  // rows that one thread decodes
  // Of pages of its own: an allocator's arena would keep a hole of this size for each size of band.
  const PageBuffer pages(height * depth * sizeof(float));
  float* const band = reinterpret_cast<float*>(pages.bytes().data());
  for (std::size_t first = 0; first < b.rows(); first += height) {
    const std::size_t count = std::min(height, b.rows() - first);
    team.run((count + kAtOnce - 1) / kAtOnce, [&](std::size_t task, int) {
      const std::size_t r = task * kAtOnce;
      b.decode(first + r, std::min(kAtOnce, count - r), band + r * depth);
    });
    multiply(a, {band, count, depth, depth}, {out.data + first, out.rows, count, out.stride}, isa,
             team);
  }
}

std::uint64_t multiply_bytes(std::size_t depth, int threads) {
  std::size_t own = 0;
  for (const Isa isa : supported_isas()) {
    own = std::max(own, block_scratch(kernels(isa), kBlockColumns, depth));
  }
  const std::uint64_t all = band_height(depth) * depth + own * static_cast<std::uint64_t>(threads);
  return all * sizeof(float);
}

void add_product(const ConstMatrix& a, const ConstMatrix& b, const Matrix& out, Isa isa,
                 Team& team) {
  product(rows_of(a), {b.data, b.stride, true}, a.columns, out, true, isa, team);
}

}  // namespace sluice::linear
