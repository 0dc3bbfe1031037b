#pragma once

// One lane, one sub-block: searches run the same steps for 16 sub-blocks side by side, with no sum
// across lanes, so that a kernel's register width does not show in the bytes.

#include <array>
#include <cstddef>

namespace sluice::inline SLUICE_ISA {

inline constexpr std::size_t kLanes = 16;
using Lanes = std::array<float, kLanes>;

/// `kSize` weights of each lane.
template <std::size_t kSize>
struct LaneBlocks {
  std::array<Lanes, kSize> x;  ///< [position][lane] value
  std::array<Lanes, kSize> w;  ///< [position][lane] weight of a squared error
};

/// The largest magnitude of each lane.
template <std::size_t kSize>
Lanes largest_magnitudes(const LaneBlocks<kSize>& blocks) noexcept {
  Lanes largest{};
  for (const Lanes& row : blocks.x) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float magnitude = row[lane] < 0 ? -row[lane] : row[lane];
      largest[lane] = largest[lane] < magnitude ? magnitude : largest[lane];
    }
  }
  return largest;
}

}  // namespace sluice::inline SLUICE_ISA
