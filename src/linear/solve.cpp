#include <algorithm>

#include "linear/block.h"
#include "linear/moments.h"

// R H = Y, with H = U D U^T: first Z U^T = Y from the last columns to the first, then R U = Z / D from
// the first to the last. A panel of columns loses what other panels explain of it (a product), then strip
// by strip what the panel itself does.

namespace sluice::linear {
namespace {

constexpr std::size_t kPanel = Triangle::kPanel;

class Solution {
 public:
  Solution(const Triangle& u, const Matrix& rows, Isa isa, float* scratch)
      : u_(u),
        rows_(rows),
        kernels_(kernels(isa)),
        negative_(scratch),
        products_(scratch + rows.rows * kPanel) {}

  void run() {
    for (std::size_t b = u_.panels(); b-- > 0;) {
      for (std::size_t c = b + 1; c < u_.panels(); ++c) {
        subtract(c * kPanel, u_.panel(c).columns, by_rows(c, b * kPanel, 0), b * kPanel,
                 u_.panel(b).columns);
      }
      for (std::size_t end = u_.panel(b).columns; end > 0;) {
        const std::size_t first = (end - 1) / kStrip * kStrip;
        subtract(b * kPanel + end, u_.panel(b).columns - end, by_rows(b, b * kPanel + first, end),
                 b * kPanel + first, end - first);
        solve_from_last(b, first, end);
        end = first;
      }
    }
    for (std::size_t r = 0; r < rows_.rows; ++r) {
      for (std::size_t i = 0; i < rows_.columns; ++i) rows_.row(r)[i] /= u_.diagonal(i);
    }
    for (std::size_t b = 0; b < u_.panels(); ++b) {
      const std::size_t columns = u_.panel(b).columns;
      for (std::size_t c = 0; c < b; ++c) {
        subtract(c * kPanel, kPanel, by_columns(b, c * kPanel, 0), b * kPanel, columns);
      }
      for (std::size_t first = 0; first < columns; first += kStrip) {
        const std::size_t end = std::min(first + kStrip, columns);
        subtract(b * kPanel, first, by_columns(b, b * kPanel, first), b * kPanel + first,
                 end - first);
        solve_from_first(b, first, end);
      }
    }
  }

 private:
  /// U from a row and a column of a panel on, as numbers that are its rows or its columns.
  Operand by_rows(std::size_t panel, std::size_t row, std::size_t column) const {
    const ConstMatrix u = u_.panel(panel);
    return {u.row(row) + column, u.stride, false};
  }
  Operand by_columns(std::size_t panel, std::size_t row, std::size_t column) const {
    const ConstMatrix u = u_.panel(panel);
    return {u.row(row) + column, u.stride, true};
  }

  /// Columns [to, to + columns) lose the product of columns [from, from + depth), at most kPanel of them,
  /// and a part of U.
  void subtract(std::size_t from, std::size_t depth, const Operand& u, std::size_t to,
                std::size_t columns) const {
    if (depth == 0) return;
    for (std::size_t r = 0; r < rows_.rows; ++r) {
      for (std::size_t i = 0; i < depth; ++i) negative_[r * kPanel + i] = -rows_.row(r)[from + i];
    }
    add_block(kernels_, {negative_, kPanel, false}, u, depth,
              {rows_.data + to, rows_.rows, columns, rows_.stride}, products_);
  }

  void solve_from_last(std::size_t b, std::size_t first, std::size_t end) const {
    const ConstMatrix u = u_.panel(b);
    for (std::size_t r = 0; r < rows_.rows; ++r) {
      float* const z = rows_.row(r) + b * kPanel;
      for (std::size_t j = end; j-- > first;) {
        float sum = z[j];
        for (std::size_t k = j + 1; k < end; ++k) sum -= z[k] * u.row(b * kPanel + j)[k];
        z[j] = sum;
      }
    }
  }

  void solve_from_first(std::size_t b, std::size_t first, std::size_t end) const {
    const ConstMatrix u = u_.panel(b);
    for (std::size_t r = 0; r < rows_.rows; ++r) {
      float* const x = rows_.row(r) + b * kPanel;
      for (std::size_t i = first; i < end; ++i) {
        for (std::size_t j = i + 1; j < end; ++j) x[j] -= x[i] * u.row(b * kPanel + i)[j];
      }
    }
  }

  const Triangle& u_;
  const Matrix& rows_;
  const Kernels& kernels_;
  float* const negative_;  // [rows, kPanel]
  float* const products_;
};

}  // namespace

std::uint64_t Factor::divide_scratch(std::size_t rows) {
  std::size_t most = 0;
  for (const Isa isa : supported_isas()) {
    most = std::max(most, block_scratch(kernels(isa), kPanel, kPanel));
  }
  return rows * kPanel + most;
}

void Lacks::fit(const ConstMatrix& w, const Factor& factor, const Matrix& fitted, Isa isa,
                float* scratch) const {
  const std::size_t n = w.columns;
  const float share = tokens == 0 ? 0.0f : 1.0f / static_cast<float>(tokens);
  for (std::size_t r = 0; r < w.rows; ++r) std::fill_n(fitted.row(r), n, 0.0f);
  for (std::size_t first = 0; first < n; first += kPanel) {
    add_block(kernels(isa), {w.data, w.stride, false}, {sum.data() + first, n, true}, n,
              {fitted.data + first, w.rows, std::min(kPanel, n - first), fitted.stride}, scratch);
  }
  for (std::size_t r = 0; r < w.rows; ++r) {
    for (std::size_t i = 0; i < n; ++i) fitted.row(r)[i] *= share;
  }
  factor.divide(fitted, isa, scratch);
  for (std::size_t r = 0; r < w.rows; ++r) {
    for (std::size_t i = 0; i < n; ++i) fitted.row(r)[i] += w.row(r)[i];
  }
}

void Factor::divide(const Matrix& rows, Isa isa, float* scratch) const {
  Solution(u, rows, isa, scratch).run();
}

}  // namespace sluice::linear
