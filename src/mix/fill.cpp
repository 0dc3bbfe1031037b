#include "mix/fill.h"

#include <algorithm>
#include <limits>

#include "mix/hull.h"

namespace sluice::mix {
namespace {

/// Combinations kept at a time, the best of each size: enough for gaps that are lost in what costs are
/// measured to, few enough for thousands of items in milliseconds.
constexpr std::int64_t kSizes = 4096;

/// Another candidate for an item than the one that it has.
struct Deviation {
  std::size_t candidate = 0;
  std::int64_t bytes = 0;  ///< more, or less
  double penalty = 0;      ///< cost and worth of bytes together: more than now, not less
};

struct Deviations {
  std::size_t item = 0;
  std::vector<Deviation> list;
  double least = 0;  ///< penalty
};

/// A deviation and those before it, as a list.
struct Node {
  std::size_t before;
  std::size_t item;
  std::size_t candidate;
};
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// Some deviations together.
struct State {
  std::int64_t bytes = 0;
  double penalty = std::numeric_limits<double>::infinity();  ///< none is known of the size
  std::size_t last = kNone;                                  ///< node
  const Deviation* deviation = nullptr;  ///< and this one, which has no node yet
};

/// The item's deviations that a choice better than `gap` can have.
Deviations deviations_of(const Item& item, std::size_t now, double multiplier, double gap) {
  Deviations deviations;
  const Candidate& from = item.candidates[now];
  for (const std::size_t i : worthwhile(item)) {
    const Candidate& to = item.candidates[i];
    const auto bytes = static_cast<std::int64_t>(to.bytes - from.bytes);
    const double penalty = to.cost - from.cost + multiplier * static_cast<double>(bytes);
    if (i == now || penalty >= gap) continue;
    deviations.list.push_back({i, bytes, std::max(0.0, penalty)});
  }
  if (deviations.list.empty()) return deviations;
  deviations.least = std::ranges::min(deviations.list, {}, &Deviation::penalty).penalty;
  return deviations;
}

class Search {
 public:
  /// \param reach  bytes by which a state may be smaller than none, or too large
  Search(double multiplier, std::int64_t room, std::int64_t reach)
      : multiplier_(multiplier),
        room_(room),
        width_((room + 2 * reach) / kSizes + 1),
        reach_((reach / width_ + 1) * width_),  // so that no size is half too large
        states_(static_cast<std::size_t>((room_ + 2 * reach_) / width_ + 1)),
        best_gap_(multiplier * static_cast<double>(room)) {
    *place_of(0) = {.bytes = 0, .penalty = 0};
  }

  double best_gap() const { return best_gap_; }

  /// Looks at all states with and without each of an item's deviations.
  void add(const Deviations& deviations) {
    const std::vector<State> before = states_;
    for (const Deviation& deviation : deviations.list) {
      for (const State& state : before) {
        const double penalty = state.penalty + deviation.penalty;
        if (penalty >= best_gap_) continue;
        State* place = place_of(state.bytes + deviation.bytes);
        if (place == nullptr || penalty >= place->penalty) continue;
        *place = {state.bytes + deviation.bytes, penalty, state.last, &deviation};
      }
    }
    for (State& state : states_) {
      if (state.deviation != nullptr) keep(state, deviations.item);
    }
  }

  void apply_best(std::vector<std::size_t>& candidates) const {
    for (std::size_t node = best_; node != kNone; node = nodes_[node].before) {
      candidates[nodes_[node].item] = nodes_[node].candidate;
    }
  }

 private:
  /// Null: out of reach.
  State* place_of(std::int64_t bytes) {
    if (bytes < -reach_ || bytes > room_ + reach_) return nullptr;
    return &states_[static_cast<std::size_t>((room_ + reach_ - bytes) / width_)];
  }

  void keep(State& state, std::size_t item) {
    nodes_.push_back({state.last, item, state.deviation->candidate});
    state.last = nodes_.size() - 1;
    state.deviation = nullptr;
    if (state.bytes > room_) return;
    const double gap = state.penalty + multiplier_ * static_cast<double>(room_ - state.bytes);
    if (gap >= best_gap_) return;
    best_gap_ = gap;
    best_ = state.last;
  }

  double multiplier_;
  std::int64_t room_;
  std::int64_t width_;  ///< bytes between sizes
  std::int64_t reach_;
  std::vector<State> states_;
  std::vector<Node> nodes_;
  double best_gap_;  ///< of a choice's cost to the multiplier's bound
  std::size_t best_ = kNone;
};

}  // namespace

void fill(std::span<const Item* const> items, const Step& over, std::uint64_t room, double enough,
          std::vector<std::size_t>& candidates) {
  const double multiplier = over.worth();
  Search search(multiplier, static_cast<std::int64_t>(room), static_cast<std::int64_t>(over.bytes));
  std::vector<Deviations> all;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Deviations deviations = deviations_of(*items[i], candidates[i], multiplier, search.best_gap());
    deviations.item = i;
    if (!deviations.list.empty()) all.push_back(std::move(deviations));
  }
  std::ranges::stable_sort(all, {}, &Deviations::least);
  for (const Deviations& deviations : all) {
    if (deviations.least >= search.best_gap() || search.best_gap() <= enough) break;
    search.add(deviations);
  }
  search.apply_best(candidates);
}

}  // namespace sluice::mix
