#pragma once

// What is wanted of a stored tensor, found by looking at one element after the other.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "weights/bands.h"

namespace sluice::weights {

/// The elements of a stored tensor that axes lead to, in their order.
inline std::vector<std::uint64_t> elements_of(std::uint64_t first, const std::vector<Axis>& axes) {
  std::vector<std::uint64_t> elements = {first};
  for (const Axis& axis : axes) {
    std::vector<std::uint64_t> next;
    for (const std::uint64_t element : elements) {
      for (std::uint64_t i = 0; i < axis.count; ++i) next.push_back(element + i * axis.stride);
    }
    elements = std::move(next);
  }
  return elements;
}

class Touched {
 public:
  Touched(const Weights& weights, std::span<const Wanted> wanted, std::size_t stored)
      : touched_(weights.stored[stored].elements()) {
    for (const Wanted& tensor : wanted) {
      for (const View& view : tensor.source->views) {
        if (view.stored == stored) add(tensor, elements_of(view.first, view.axes));
      }
    }
  }

  bool at(std::uint64_t element) const { return touched_.at(element) != 0; }

  bool any(std::uint64_t begin, std::uint64_t count) const {
    const auto first = touched_.begin() + static_cast<std::ptrdiff_t>(begin);
    return std::any_of(first, first + static_cast<std::ptrdiff_t>(count),
                       [](char touched) { return touched != 0; });
  }

  /// Whether all that is wanted and lies before a position are the first rows of each view.
  bool is_cut(std::uint64_t position) const {
    return std::ranges::all_of(views_, [&](const Seen& view) { return view.is_cut(position); });
  }

  /// Bytes that become of the rows between two cuts.
  std::uint64_t result_bytes(std::uint64_t begin, std::uint64_t end) const {
    std::uint64_t bytes = 0;
    for (const Seen& view : views_) {
      bytes += (view.before(end) - view.before(begin)) / view.row_elements * view.row_bytes;
    }
    return bytes;
  }

 private:
  struct Seen {
    std::uint64_t row_elements;
    std::uint64_t row_bytes;
    std::vector<std::uint64_t> sorted;
    std::vector<std::uint64_t> furthest;  // of the first ones in the tensor's order

    std::uint64_t before(std::uint64_t position) const {
      return static_cast<std::uint64_t>(std::ranges::lower_bound(sorted, position) -
                                        sorted.begin());
    }
    bool is_cut(std::uint64_t position) const {
      const std::uint64_t count = before(position);
      return count % row_elements == 0 && (count == 0 || furthest[count - 1] < position);
    }
  };

  void add(const Wanted& tensor, std::vector<std::uint64_t> elements) {
    for (const std::uint64_t element : elements) touched_.at(element) = 1;
    Seen seen{tensor.row_elements, tensor.row_bytes, elements, std::move(elements)};
    std::ranges::sort(seen.sorted);
    for (std::size_t i = 1; i < seen.furthest.size(); ++i) {
      seen.furthest[i] = std::max(seen.furthest[i - 1], seen.furthest[i]);
    }
    views_.push_back(std::move(seen));
  }

  std::vector<char> touched_;
  std::vector<Seen> views_;
};

}  // namespace sluice::weights
