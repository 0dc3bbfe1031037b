#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace sluice::measure {

/// Something that adds to sums over its kind and its group.
struct Share {
  double size = 0;  ///< in proportion to which it adds, were all kinds and groups alike
  std::size_t kind = 0;
  std::optional<std::size_t> group = {};  ///< none: it adds to no group
};

/// What each adds: its size times a factor for its kind and one for its group, such that sums over kinds, and
/// over groups but for one factor, are those given (iterative proportional fitting: Deming and
/// Stephan, 1940). Kinds and groups with nothing in them, or of which the sum is zero, have the
/// factor 1.
std::vector<double> fitted_shares(const std::vector<Share>& shares, std::span<const double> kinds,
                                  std::span<const double> groups);

}  // namespace sluice::measure
