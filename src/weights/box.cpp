#include "weights/box.h"

#include <cstddef>
#include <utility>

namespace sluice::weights {
namespace {

/// Appends the elements [begin, end) of what the axes from one on are at `first`.
void add_parts(const Box& box, std::size_t axis, const Part& whole, std::uint64_t begin,
               std::uint64_t end, std::vector<Part>& parts) {
  if (begin == end) return;
  std::uint64_t step = 1;  // elements
  for (std::size_t i = axis + 1; i < box.axes.size(); ++i) step *= box.axes[i].count;
  const auto at = [&](std::uint64_t i) {
    return Part{{whole.box.first + i * box.axes[axis].stride, {}}, whole.index + i * step};
  };
  const std::uint64_t first = begin / step;
  const std::uint64_t last = end / step;
  if (first == last) {
    return add_parts(box, axis + 1, at(first), begin % step, end % step, parts);
  }
  if (begin % step != 0) add_parts(box, axis + 1, at(first), begin % step, step, parts);
  const std::uint64_t first_whole = begin % step == 0 ? first : first + 1;
  if (first_whole < last) {
    Part part = at(first_whole);
    part.box.axes.assign(box.axes.begin() + static_cast<std::ptrdiff_t>(axis), box.axes.end());
    part.box.axes.front().count = last - first_whole;
    parts.push_back(std::move(part));
  }
  if (end % step != 0) add_parts(box, axis + 1, at(last), 0, end % step, parts);
}

}  // namespace

std::uint64_t Box::elements() const {
  std::uint64_t product = 1;
  for (const Axis& axis : axes) product *= axis.count;
  return product;
}

std::uint64_t Box::extent() const {
  std::uint64_t last = 0;
  for (const Axis& axis : axes) last += (axis.count - 1) * axis.stride;
  return last + 1;
}

Box merged(const Box& box) {
  std::vector<Axis> axes;
  for (const Axis& axis : box.axes) {
    if (axis.count == 1) continue;
    if (!axes.empty() && axes.back().stride == axis.count * axis.stride) {
      axes.back() = {axes.back().count * axis.count, axis.stride};
    } else {
      axes.push_back(axis);
    }
  }
  if (axes.empty()) axes.push_back({});
  return {box.first, std::move(axes)};
}

std::vector<Part> parts_of(const Box& box, std::uint64_t begin, std::uint64_t end) {
  std::vector<Part> parts;
  add_parts(box, 0, {{box.first, {}}, 0}, begin, end, parts);
  return parts;
}

}  // namespace sluice::weights
