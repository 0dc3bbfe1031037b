#include "model/delta_heads.h"

#include <algorithm>

#include "linear/delta_rule.h"
#include "linear/functions.h"

namespace sluice::model {
namespace {

// Channels that a task of the convolution has: enough for lanes, few enough for many tasks.
constexpr std::size_t kChannels = 64;

/// The tokens of one sequence and some columns of a value head, whose states nothing else sees.
struct StateRun {
  const DeltaHeads& heads;
  const linear::Matrix& x;
  const DeltaRates& rates;
  std::uint64_t sequence_length;
  Isa isa;

  std::size_t stretches() const {
    return (heads.value_length + linear::kStateColumns - 1) / linear::kStateColumns;
  }
  std::size_t tasks() const { return x.rows / sequence_length * heads.value_heads * stretches(); }

  void run(std::size_t task, float* state) const {
    const std::size_t first_column = task % stretches() * linear::kStateColumns;
    const std::size_t head = task / stretches() % heads.value_heads;
    const std::size_t first = task / stretches() / heads.value_heads * sequence_length;
    const std::size_t columns =
        std::min<std::size_t>(linear::kStateColumns, heads.value_length - first_column);
    const std::size_t query = heads.key_head_of(head) * heads.key_length;
    const std::size_t value = 2 * heads.keys() + head * heads.value_length + first_column;
    std::fill_n(state, heads.key_length * linear::kStateColumns, 0.0F);
    for (std::size_t t = first; t < first + sequence_length; ++t) {
      float* const row = x.row(t);
      linear::delta_step({.query = row + query,
                          .key = row + heads.keys() + query,
                          .depth = heads.key_length,
                          .decay = rates.decays.row(t)[head],
                          .rate = rates.rates.row(t)[head]},
                         state, row + value, columns, isa);
    }
  }
};

std::uint64_t bytes_of_state(const DeltaHeads& heads) {
  return heads.key_length * linear::kStateColumns * sizeof(float);
}

}  // namespace

void convolve(const linear::Matrix& x, const std::vector<float>& weights,
              std::uint64_t sequence_length, Isa isa, Team& team) {
  const std::size_t taps = weights.size() / x.columns;
  const std::size_t stretches = (x.columns + kChannels - 1) / kChannels;
  team.run(x.rows / sequence_length * stretches, [&](std::size_t task, int) {
    const std::size_t channel = task % stretches * kChannels;
    const std::size_t count = std::min(kChannels, x.columns - channel);
    const linear::Matrix of_task{x.row(task / stretches * sequence_length) + channel,
                                 sequence_length, count, x.stride};
    // From the last token on, as a sum needs those before it as they were.
    for (std::size_t t = sequence_length; t-- > 0;) {
      float sums[kChannels] = {};
      for (std::size_t tap = taps - std::min(taps, t + 1); tap < taps; ++tap) {
        const float* const from = of_task.row(t + tap + 1 - taps);
        const float* const weight = &weights[tap * x.columns + channel];
        for (std::size_t c = 0; c < count; ++c) sums[c] += weight[c] * from[c];
      }
      linear::silu(sums, count, isa);
      std::copy_n(sums, count, of_task.row(t));
    }
  });
}

void run_states(const DeltaHeads& heads, const linear::Matrix& x, const DeltaRates& rates,
                std::uint64_t sequence_length, Isa isa, Team& team) {
  const StateRun states{heads, x, rates, sequence_length, isa};
  const PageBuffer scratch(state_bytes(heads, team.threads()));
  team.run(states.tasks(), [&](std::size_t task, int worker) {
    std::byte* const own =
        scratch.bytes().data() + bytes_of_state(heads) * static_cast<std::uint64_t>(worker);
    states.run(task, reinterpret_cast<float*>(own));
  });
}

std::uint64_t state_bytes(const DeltaHeads& heads, int threads) {
  return bytes_of_state(heads) * static_cast<std::uint64_t>(threads);
}

}  // namespace sluice::model
