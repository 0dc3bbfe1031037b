#pragma once

// Many scales tried side by side, a lane each.

#include <array>
#include <cstddef>

#include "codec/lattice/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// 0, 1, 2, ... 15
static inline Lanes count_up() noexcept {
  std::array<float, kLanes> numbers;
  for (std::size_t lane = 0; lane < kLanes; ++lane) numbers[lane] = static_cast<float>(lane);
  return Lanes::load(numbers.data());
}

/// The scale of least error among all that were added, the first of equals.
class ScaleTrials {
 public:
  void add(const Lanes& scales, const Lanes& errors) noexcept {
    const LaneMask better = errors < least_;
    least_ = select(better, errors, least_);
    best_ = select(better, scales, best_);
  }

  /// 0 if none was.
  float scale() const noexcept {
    std::size_t first = 0;
    for (std::size_t lane = 1; lane < kLanes; ++lane) {
      if (least_[lane] < least_[first]) first = lane;
    }
    return best_[first];
  }

 private:
  Lanes least_ = 0x1p120f;
  Lanes best_ = 0;
};

}  // namespace sluice::inline SLUICE_ISA
