#include "codec/lattice/signed_search.h"

#include <bit>

#include "codec/lattice/codebooks.h"

// Loops over lanes say "unroll 1", because unrolling them before vectorizing would prevent that.

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kHalf = kGroupSize / 2;
constexpr std::size_t kHalves = 81;  // 3 levels to the power of 4

/// What an entry's half of four magnitudes sums to, for each lane.
struct HalfSums {
  std::array<GroupLanes, kHalves> dot;
  std::array<GroupLanes, kHalves> norm;
  std::array<GroupLanes, kHalves> smallest;  ///< smallest term of dot
};

/// The number in base 3 that an entry's half is, first magnitude lowest.
constexpr std::size_t half_number(std::size_t entry, std::size_t half) noexcept {
  const unsigned packed = packed_grids::kIq2xxsGrid[entry] >> 8 * half;
  std::size_t number = 0;
  for (std::size_t j = kHalf; j-- > 0;) number = 3 * number + (packed >> 2 * j & 3);
  return number;
}

constexpr auto kHalfNumbers = [] {
  std::array<std::array<std::uint8_t, 2>, 256> numbers{};
  for (std::size_t entry = 0; entry < numbers.size(); ++entry) {
    for (std::size_t half = 0; half < 2; ++half) {
      numbers[entry][half] = static_cast<std::uint8_t>(half_number(entry, half));
    }
  }
  return numbers;
}();

/// Level number of position j of the half with this number.
constexpr std::size_t level_of(std::size_t number, std::size_t j) noexcept {
  constexpr std::array<std::size_t, kHalf> kPowers = {1, 3, 9, 27};
  return number / kPowers[j] % 3;
}

constexpr auto kHalfLevels = [] {
  std::array<std::array<float, kHalf>, kHalves> levels{};
  for (std::size_t number = 0; number < kHalves; ++number) {
    for (std::size_t j = 0; j < kHalf; ++j) {
      levels[number][j] = kIq2Magnitudes[level_of(number, j)];
    }
  }
  return levels;
}();

/// Sums over positions first to first + 3. `wx` is w |x|.
void sum_halves(const std::array<GroupLanes, kGroupSize>& wx,
                const std::array<GroupLanes, kGroupSize>& w, std::size_t first,
                HalfSums& sums) noexcept {
  for (std::size_t number = 0; number < kHalves; ++number) {
    const std::array<float, kHalf>& g = kHalfLevels[number];
#pragma GCC unroll 1
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
      const float a = wx[first][lane] * g[0];
      const float b = wx[first + 1][lane] * g[1];
      const float c = wx[first + 2][lane] * g[2];
      const float d = wx[first + 3][lane] * g[3];
      sums.dot[number][lane] = (a + b) + (c + d);
      sums.norm[number][lane] =
          (w[first][lane] * (g[0] * g[0]) + w[first + 1][lane] * (g[1] * g[1])) +
          (w[first + 2][lane] * (g[2] * g[2]) + w[first + 3][lane] * (g[3] * g[3]));
      const float ab = a < b ? a : b;
      const float cd = c < d ? c : d;
      sums.smallest[number][lane] = ab < cd ? ab : cd;
    }
  }
}

bool odd_signs(const SignedGroups& groups, std::size_t lane) noexcept {
  bool odd = false;
  for (const GroupLanes& x : groups.x) odd ^= x[lane] < 0;
  return odd;
}

}  // namespace

void sum_entries(const SignedGroups& groups, EntrySums& sums) noexcept {
  std::array<GroupLanes, kGroupSize> wx;
  GroupLanes twice_if_odd;  // what one wrong sign takes off, in units of its term
  for (std::size_t j = 0; j < kGroupSize; ++j) {
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
      const float x = groups.x[j][lane];
      wx[j][lane] = groups.w[j][lane] * (x < 0 ? -x : x);
    }
  }
  for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
    twice_if_odd[lane] = odd_signs(groups, lane) ? 2.0f : 0.0f;
  }

  HalfSums low;
  HalfSums high;
  sum_halves(wx, groups.w, 0, low);
  sum_halves(wx, groups.w, kHalf, high);
  for (std::size_t entry = 0; entry < kHalfNumbers.size(); ++entry) {
    const auto [l, h] = kHalfNumbers[entry];
#pragma GCC unroll 1
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
      const float a = low.smallest[l][lane];
      const float b = high.smallest[h][lane];
      sums.dot[entry][lane] =
          low.dot[l][lane] + high.dot[h][lane] - twice_if_odd[lane] * (a < b ? a : b);
      sums.norm[entry][lane] = low.norm[l][lane] + high.norm[h][lane];
    }
  }
}

NearestEntries nearest_entries(const EntrySums& sums, const GroupLanes& scale) noexcept {
  // The error, less what the entries have in common, divided by twice the scale. Selections are
  // spelt as bit masks, or the compiler makes branches of them and the lanes go one by one.
  GroupLanes half_scale;
  std::array<std::uint32_t, kGroupLanes> least;
  std::array<std::uint32_t, kGroupLanes> index{};
  for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
    half_scale[lane] = 0.5f * scale[lane];
    least[lane] =
        std::bit_cast<std::uint32_t>(half_scale[lane] * sums.norm[0][lane] - sums.dot[0][lane]);
  }
  for (std::uint32_t entry = 1; entry < 256; ++entry) {
#pragma GCC unroll 1
    for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
      const float error = half_scale[lane] * sums.norm[entry][lane] - sums.dot[entry][lane];
      const std::uint32_t less = error < std::bit_cast<float>(least[lane]) ? ~0u : 0u;
      least[lane] = (std::bit_cast<std::uint32_t>(error) & less) | (least[lane] & ~less);
      index[lane] = (entry & less) | (index[lane] & ~less);
    }
  }
  NearestEntries nearest;
  nearest.index = index;
  for (std::size_t lane = 0; lane < kGroupLanes; ++lane) {
    nearest.dot[lane] = sums.dot[index[lane]][lane];
    nearest.norm[lane] = sums.norm[index[lane]][lane];
  }
  return nearest;
}

unsigned best_sign_index(const SignedGroups& groups, std::size_t lane, std::size_t entry) noexcept {
  unsigned signs = 0;
  std::size_t cheapest = 0;
  float least = 0;
  for (std::size_t j = 0; j < kGroupSize; ++j) {
    const float x = groups.x[j][lane];
    if (x < 0) signs |= 1u << j;
    const float magnitude = static_cast<float>(kIq2xxsCodebook[entry][j]);
    const float term = groups.w[j][lane] * (x < 0 ? -x : x) * magnitude;
    if (j == 0 || term < least) {
      least = term;
      cheapest = j;
    }
  }
  if (odd_signs(groups, lane)) signs ^= 1u << cheapest;
  return signs & 127u;
}

}  // namespace sluice::inline SLUICE_ISA
