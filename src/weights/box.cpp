#include "weights/box.h"

namespace sluice::weights {

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

Box merged(Box box) {
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

}  // namespace sluice::weights
