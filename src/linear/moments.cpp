#include "linear/moments.h"

#include <algorithm>
#include <vector>

#include "linear/block.h"

namespace sluice::linear {

void Moments::add(const ConstMatrix& x, Isa isa, Team& team) {
  constexpr std::size_t kRows = 2 * Triangle::kPanel;  // of a task
  struct Task {
    std::size_t panel;
    std::size_t row;
  };
  std::vector<Task> tasks;
  for (std::size_t b = 0; b < sum.panels(); ++b) {
    for (std::size_t r = 0; r < sum.panel(b).rows; r += kRows) tasks.push_back({b, r});
  }
  const Kernels& kernel = kernels(isa);
  const std::vector<Scratch> scratch =
      scratches(team, block_scratch(kernel, Triangle::kPanel, x.rows));
  team.run(tasks.size(), [&](std::size_t t, int worker) {
    const auto [b, r] = tasks[t];
    const Matrix panel = sum.panel(b);
    const Operand all = {x.data, x.stride, true};
    add_block(kernel, all.from(r, 0), all.from(b * Triangle::kPanel, 0), x.rows,
              {panel.row(r), std::min(kRows, panel.rows - r), panel.columns, panel.stride},
              scratch[static_cast<std::size_t>(worker)].data());
  });
  tokens += x.rows;
}

void Lacks::add(const ConstMatrix& lacking, const ConstMatrix& had, Isa isa, Team& team) {
  constexpr std::size_t kSide = Triangle::kPanel;
  const std::size_t n = had.columns;
  const std::size_t blocks = (n + kSide - 1) / kSide;
  const Kernels& kernel = kernels(isa);
  const std::vector<Scratch> scratch = scratches(team, block_scratch(kernel, kSide, had.rows));
  team.run(blocks * blocks, [&](std::size_t task, int worker) {
    const std::size_t row = task / blocks * kSide;
    const std::size_t column = task % blocks * kSide;
    add_block(
        kernel, {lacking.data + row, lacking.stride, true}, {had.data + column, had.stride, true},
        had.rows,
        {sum.data() + row * n + column, std::min(kSide, n - row), std::min(kSide, n - column), n},
        scratch[static_cast<std::size_t>(worker)].data());
  });
  tokens += had.rows;
}

}  // namespace sluice::linear
