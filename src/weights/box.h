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
  /// From the first element to the last in the stored tensor, with what lies between.
  std::uint64_t extent() const;
};

/// The same elements with as few axes as can be, at least one.
Box merged(const Box& box);

/// A box within another.
struct Part {
  Box box;
  std::uint64_t index = 0;  ///< which element of the whole its first is
};

/// The elements [begin, end) of a box, in its order.
std::vector<Part> parts_of(const Box& box, std::uint64_t begin, std::uint64_t end);

}  // namespace sluice::weights
