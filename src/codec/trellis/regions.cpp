#include <cmath>
#include <cstring>

#include "codec/trellis/regions_room.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// P(error < z times its deviation), of errors with heavy tails: their weights differ. With nothing but what
/// all machines round alike.
float share_below(float z) noexcept {
  return 0.5f + 0.5f * z / std::sqrt(1.6f + z * z);
}

/// P(a coordinate is in a range | its vector's integer).
template <std::size_t kRanges>
struct Shares {
  static constexpr int kMost = 127;
  float of[kRanges][2 * kMost + 1];

  explicit Shares(const RegionRanges<kRanges>& ranges) noexcept {
    for (int v = -kMost; v <= kMost; ++v) {
      float below = 0;
      for (std::size_t r = 0; r < kRanges; ++r) {
        const float to =
            r < kRanges - 1
                ? share_below((ranges.borders[r] - static_cast<float>(v)) / ranges.error)
                : 1.0f;
        of[r][v + kMost] = to - below;
        below = to;
      }
    }
  }
};

}  // namespace

template <std::size_t kCells, std::size_t kNear, std::size_t kLength, std::size_t kRanges>
void TrellisRegions<kCells, kNear, kLength, kRanges>::fill(Room& room,
                                                           const Vectors (&vectors)[kCells],
                                                           const RegionRanges<kRanges>& ranges,
                                                           std::size_t first) noexcept {
  const Shares shares(ranges);
  room.first_cell = first;
  auto& all = room.levels[kGroup];
  all.count = kCells;
  for (std::size_t c = 0; c < kCells; ++c) {
    all.cells[c] = static_cast<std::uint16_t>(c);
    for (std::size_t lane = 0; lane < 16; ++lane) {
      all.share[c][lane] = 1;
      for (std::size_t j = 0; j < kGroup; ++j) {
        for (std::size_t r = 0; r < kRanges; ++r) {
          room.shares[c][j][r][lane] = shares.of[r][vectors[c][lane][j] + shares.kMost];
        }
      }
    }
  }
  descend(room, kGroup, 0);
}

/// \param coordinates  that have no range yet
/// \param region       of the others
template <std::size_t kCells, std::size_t kNear, std::size_t kLength, std::size_t kRanges>
void TrellisRegions<kCells, kNear, kLength, kRanges>::descend(Room& room, std::size_t coordinates,
                                                              std::size_t region) noexcept {
  using simd::Floats;
  auto& level = room.levels[coordinates];
  if (coordinates == 0) {
    room.take_best(level, kNear, [&](std::size_t place, std::size_t i) noexcept {
      near_[region][place] = static_cast<std::uint16_t>(room.first_cell + level.cells[i]);
    });
    return;
  }
  // Those that are not among so many now will hardly be among the best.
  constexpr std::size_t kHalvings = 8 / kGroup;  // of the cells, by a coordinate
  const std::size_t most = (kNear * 3 / 2 << kHalvings * coordinates) / 16 * 16;
  if (most < level.count) {
    std::size_t left = 0;
    room.take_best(level, most, [&](std::size_t, std::size_t i) noexcept {
      level.cells[left] = level.cells[i];
      std::memmove(level.share[left], level.share[i], sizeof level.share[i]);
      ++left;
    });
    level.count = left;
  }
  const std::size_t j = coordinates - 1;
  auto& next = room.levels[j];
  for (std::size_t r = 0; r < kRanges; ++r) {
    next.count = level.count;
    std::memcpy(next.cells, level.cells, level.count * sizeof level.cells[0]);
    for (std::size_t i = 0; i < level.count; ++i) {
      const Floats share =
          Floats::load(level.share[i]) * Floats::load(room.shares[level.cells[i]][j][r]);
      share.store(next.share[i]);
    }
    descend(room, j, region * kRanges + r);
  }
}

template class TrellisRegions<544, 32>;
template class TrellisRegions<2048, 16, 4, 14>;
template class TrellisRegions<4096, 48>;
template class TrellisRegions<4352, 64>;

}  // namespace sluice::inline SLUICE_ISA
