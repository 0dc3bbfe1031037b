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

}  // namespace sluice::linear
