#pragma once

#include <cstdint>
#include <vector>

#include "weights/stored.h"

namespace sluice::weights {

/// Elements of a stored tensor that axes describe: all of a view or of a piece, or a part of it.
struct Box {
  std::uint64_t first = 0;
  std::vector<Axis> axes;

  std::uint64_t elements() const;
  /// Elements from the first to the last in the stored tensor, and what lies between.
  std::uint64_t extent() const;
};

/// The same elements with as few axes as can be, at least one.
Box merged(Box box);

/// Calls `use(part, index)` with boxes that together are the elements [begin, end) of `box` in its
/// order; `index` is that of the part's first.
template <class Use>
void for_each_part(const Box& box, std::uint64_t begin, std::uint64_t end, const Use& use);

namespace box_detail {

template <class Use>
void for_each_part(const Box& box, std::size_t axis, std::uint64_t first, std::uint64_t index,
                   std::uint64_t begin, std::uint64_t end, const Use& use) {
  if (begin == end) return;
  std::uint64_t step = 1;  // elements in one of the axis
  for (std::size_t i = axis + 1; i < box.axes.size(); ++i) step *= box.axes[i].count;
  const std::uint64_t stride = box.axes[axis].stride;
  const auto within = [&](std::uint64_t i, std::uint64_t from, std::uint64_t to) {
    for_each_part(box, axis + 1, first + i * stride, index + i * step, from, to, use);
  };
  if (begin / step == (end - 1) / step && end - begin < step) {
    return within(begin / step, begin % step, begin % step + (end - begin));
  }
  const std::uint64_t whole_begin = (begin + step - 1) / step;
  const std::uint64_t whole_end = end / step;
  if (begin % step != 0) within(begin / step, begin % step, step);
  if (whole_begin < whole_end) {
    Box part{first + whole_begin * stride, {box.axes.begin() + axis, box.axes.end()}};
    part.axes.front().count = whole_end - whole_begin;
    use(std::move(part), index + whole_begin * step);
  }
  if (end % step != 0) within(whole_end, 0, end % step);
}

}  // namespace box_detail

template <class Use>
void for_each_part(const Box& box, std::uint64_t begin, std::uint64_t end, const Use& use) {
  box_detail::for_each_part(box, 0, box.first, 0, begin, end, use);
}

}  // namespace sluice::weights
