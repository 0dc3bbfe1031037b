#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "linear/block.h"
#include "linear/moments.h"

// H = U D U^T, last columns first, in place. A panel of columns first loses what the panels behind it
// explain of it (a product); its own square block is then eliminated strip by strip, and the rows
// above are solved with it, some rows a task.

namespace sluice::linear {
namespace {

constexpr std::size_t kPanel = Triangle::kPanel;
constexpr std::size_t kRowsOfTask = kPanel;

Matrix part_of(const Matrix& m, std::size_t row, std::size_t rows, std::size_t column,
               std::size_t columns) {
  return {m.row(row) + column, rows, columns, m.stride};
}

Operand rows_of(const Matrix& m) {
  return {m.data, m.stride, false};
}

class Elimination {
 public:
  Elimination(Triangle& h, float least, Isa isa, Team& team)
      : h_(h),
        least_(least),
        kernels_(kernels(isa)),
        team_(team),
        pivots_(h.panels() * kPanel),
        divisors_(pivots_.size()),
        diagonal_(h.size()),
        scratch_(scratches(team, kPanel * kPanel + block_scratch(kernels_, kPanel, kPanel))) {
    for (std::size_t i = 0; i < h.size(); ++i) diagonal_[i] = h.diagonal(i);
  }

  void run() {
    for (std::size_t b = h_.panels(); b-- > 0;) {
      for_rows(h_.panel(b).rows, [&](const RowsTask& rows) { subtract_later(b, rows); });
      const std::size_t first = b * kPanel;
      const RowsTask own = {first, h_.panel(b).rows - first, scratch_[0].data()};
      eliminate(b, own, true);
      for_rows(first, [&](const RowsTask& rows) { eliminate(b, rows, false); });
    }
    for (std::size_t i = 0; i < h_.size(); ++i) h_.diagonal(i) = pivots_[i];
  }

 private:
  struct RowsTask {
    std::size_t first;
    std::size_t count;
    float* scratch;
  };

  template <class Do>
  void for_rows(std::size_t rows, const Do& what) {
    team_.run((rows + kRowsOfTask - 1) / kRowsOfTask, [&](std::size_t task, int worker) {
      const std::size_t first = task * kRowsOfTask;
      what(RowsTask{first, std::min(kRowsOfTask, rows - first),
                    scratch_[static_cast<std::size_t>(worker)].data()});
    });
  }

  /// -U D of some rows and columns of a panel.
  Matrix minus_products(std::size_t b, const Matrix& u, std::size_t column, float* to) const {
    const float* const pivots = pivots_.data() + b * kPanel + column;
    for (std::size_t r = 0; r < u.rows; ++r) {
      for (std::size_t c = 0; c < u.columns; ++c) to[r * kPanel + c] = -u.row(r)[c] * pivots[c];
    }
    return {to, u.rows, u.columns, kPanel};
  }

  /// Rows of panel b less U D U^T of the panels behind it.
  void subtract_later(std::size_t b, const RowsTask& rows) const {
    const Matrix panel = h_.panel(b);
    const Matrix out = part_of(panel, rows.first, rows.count, 0, panel.columns);
    for (std::size_t c = h_.panels(); --c > b;) {
      const Matrix u = h_.panel(c);
      const Matrix own = part_of(u, b * kPanel, panel.columns, 0, u.columns);
      const Matrix minus = minus_products(c, own, 0, rows.scratch);
      add_block(kernels_, rows_of(part_of(u, rows.first, rows.count, 0, u.columns)), rows_of(minus),
                u.columns, out, rows.scratch + kPanel * kPanel);
    }
  }

  /// Rows of panel b, from what the panels behind it left to U; of the square block on the diagonal
  /// the pivots too.
  void eliminate(std::size_t b, const RowsTask& rows, bool square) {
    const Matrix panel = h_.panel(b);
    for (std::size_t end = panel.columns; end > 0;) {
      const std::size_t first = (end - 1) / kStrip * kStrip;
      const std::size_t width = end - first;
      const std::size_t count = square ? end : rows.count;
      const Matrix strip = part_of(panel, rows.first, count, first, width);
      const Matrix own = part_of(panel, b * kPanel + first, width, end, panel.columns - end);
      const Matrix minus = minus_products(b, own, end, rows.scratch);
      add_block(kernels_, rows_of(part_of(panel, rows.first, count, end, own.columns)),
                rows_of(minus), own.columns, strip, rows.scratch + kPanel * kPanel);
      if (square) eliminate_strip(b, first, width);
      solve_strip(b, first, part_of(panel, rows.first, square ? first : count, first, width),
                  rows.scratch);
      end = first;
    }
  }

  /// The square where a strip meets the diagonal. In double: few numbers, and all others hang on them.
  void eliminate_strip(std::size_t b, std::size_t first, std::size_t width) {
    const Matrix h = part_of(h_.panel(b), b * kPanel + first, width, first, width);
    double u[kStrip][kStrip];
    double pivots[kStrip];
    for (std::size_t j = width; j-- > 0;) {
      for (std::size_t i = 0; i <= j; ++i) {
        double sum = h.row(i)[j];
        for (std::size_t k = j + 1; k < width; ++k) sum -= u[i][k] * pivots[k] * u[j][k];
        u[i][j] = sum;
      }
      const std::size_t column = b * kPanel + first + j;
      const bool lost = !(u[j][j] > kRounding * diagonal_[column]);
      pivots_[column] = lost ? least_ : static_cast<float>(u[j][j]);
      divisors_[column] = lost ? std::numeric_limits<float>::infinity() : pivots_[column];
      pivots[j] = pivots_[column];
      for (std::size_t i = 0; i < j; ++i) {
        u[i][j] /= divisors_[column];
        h.row(i)[j] = static_cast<float>(u[i][j]);
      }
    }
  }

  /// Rows of a strip that lie above its square.
  void solve_strip(std::size_t b, std::size_t first, const Matrix& strip, float* scratch) const {
    const float* const pivots = pivots_.data() + b * kPanel + first;
    for (std::size_t j = 0; j < strip.columns; ++j) {
      const float* const u = h_.panel(b).row(b * kPanel + first + j) + first;
      for (std::size_t k = j + 1; k < strip.columns; ++k) {
        scratch[j * kStrip + k] = -u[k] * pivots[k];
      }
    }
    kernels_.solve(strip, scratch, divisors_.data() + b * kPanel + first);
  }

  // What rounding may leave of a pivot that is zero, of the diagonal it began as.
  static constexpr float kRounding = 0x1p-20f;

  Triangle& h_;
  float least_;
  const Kernels& kernels_;
  Team& team_;
  std::vector<float> pivots_;
  std::vector<float>
      divisors_;  // the same, and infinity for one that was lost: its column is noise
  std::vector<float> diagonal_;  // of H, as it was
  std::vector<Scratch> scratch_;
};

/// The mean of the diagonal of H, and 0 where it is nothing to go by.
float mean_diagonal(const Moments& moments) {
  double sum = 0;
  for (std::size_t i = 0; i < moments.sum.size(); ++i) sum += moments.sum.diagonal(i);
  const double count =
      static_cast<double>(moments.sum.size()) * static_cast<double>(moments.tokens);
  const auto mean = static_cast<float>(sum / std::max(count, 1.0));
  return std::isfinite(mean) ? mean : 0.0f;
}

/// H: sums over tokens become means, and the diagonal gets `added`. Its square blocks are copied.
void damp(Moments& moments, float added, float* local, Team& team) {
  const float share = 1.0f / static_cast<float>(std::max<std::uint64_t>(moments.tokens, 1));
  team.run(moments.sum.panels(), [&](std::size_t b, int) {
    const Matrix panel = moments.sum.panel(b);
    for (std::size_t r = 0; r < panel.rows; ++r) {
      for (std::size_t c = 0; c < panel.columns; ++c) panel.row(r)[c] *= share;
    }
    for (std::size_t c = 0; c < panel.columns; ++c) panel.row(b * kPanel + c)[c] += added;
    for (std::size_t r = b * kPanel; r < panel.rows; ++r) {
      std::copy_n(panel.row(r), panel.columns, local + r * kPanel);
    }
  });
}

}  // namespace

Factor Factor::of(Moments&& moments, float damping, Isa isa, Team& team) {
  const float mean = mean_diagonal(moments);
  const float added = mean > 0.0f ? damping * mean : 1.0f;
  std::vector<float> local(moments.sum.panels() * kPanel * kPanel);
  damp(moments, added, local.data(), team);
  Elimination(moments.sum, std::max(added, 1e-6f * mean), isa, team).run();
  return {std::move(moments.sum), std::move(local)};
}

}  // namespace sluice::linear
