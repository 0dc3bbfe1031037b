#include "codec/iq1_m/group_search.h"

#include <algorithm>
#include <utility>

#include "codec/iq1_m/codes.h"
#include "codec/lattice/codebooks.h"

namespace sluice::inline SLUICE_ISA::iq1_m {
namespace {

// At a given scale and shift the best ternary vector is known coordinate by coordinate, and so is
// the price of moving a coordinate to its second best value (0 to the nearer of +-1, or +-1 to 0).
// About 60 % of the best vectors are in the codebook. For the others the best entry is nearly
// always reached by moving a few of the cheapest coordinates: so the prices are sorted, a few sets
// of moves are tried, and the cheapest that lands in the codebook wins. Measured over the scales
// that an encoder asks for, the summed error is 0.1 % above that of the whole codebook.
//
// Prices are 16-bit integers: the same on any machine, 32 to a 512-bit register. Only the choice
// depends on them; its error is then measured in floats.

// One step of the ternary code in the fixed-point positions of weights. Positions beyond 2.37 steps
// are drawn in to it: the largest that, with the shift, keeps distances within 15 bits. Their code
// is +-1 whatever the distance, and moving them hardly ever pays.
constexpr int kStep = 8192;
constexpr float kFarthest = 2.37f;
constexpr int kShift = static_cast<int>(kIq1Delta * kStep);
constexpr std::int16_t kTooDear = 32767;

// A sort key: the price in the high bits; then whether the move lowers the code; then which
// coordinate moves. Equal prices are thus ordered too.
constexpr int kCoordinateBits = 3;
constexpr int kLowers = 1 << kCoordinateBits;
constexpr int kPriceShift = kCoordinateBits + 1;

/// What a move adds to the vector's number, by the low bits of its key.
constexpr auto kMoveSteps = [] {
  std::array<std::int16_t, 2 * kWidth> steps{};
  for (std::size_t j = 0; j < kWidth; ++j) {
    steps[j] = kPowersOf3[j];
    steps[j + kLowers] = static_cast<std::int16_t>(-kPowersOf3[j]);
  }
  return steps;
}();

/// Sorts 8 with the fewest comparators.
constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 19> kSortingNetwork = {{{0, 2},
                                                                                    {1, 3},
                                                                                    {4, 6},
                                                                                    {5, 7},
                                                                                    {0, 4},
                                                                                    {1, 5},
                                                                                    {2, 6},
                                                                                    {3, 7},
                                                                                    {0, 1},
                                                                                    {2, 3},
                                                                                    {4, 5},
                                                                                    {6, 7},
                                                                                    {2, 4},
                                                                                    {3, 5},
                                                                                    {1, 4},
                                                                                    {3, 6},
                                                                                    {1, 2},
                                                                                    {3, 4},
                                                                                    {5, 6}}};

/// The sets of moves that are tried, each made of an earlier one and the move at a place in the
/// order of prices. Chosen greedily by what each takes off the summed error over synthetic and
/// trained weights; further sets take off less than 0.01 % together.
struct MoveSet {
  std::uint8_t from;  // set 0 is the empty one; set n is kMoveSets[n - 1]
  std::uint8_t place;
};
constexpr std::array<MoveSet, 11> kMoveSets = {{
    {0, 0},  // 1: {0}
    {0, 1},  // 2: {1}
    {1, 1},  // 3: {0, 1}
    {0, 2},  // 4: {2}
    {1, 2},  // 5: {0, 2}
    {0, 3},  // 6: {3}
    {1, 3},  // 7: {0, 3}
    {2, 2},  // 8: {1, 2}
    {3, 2},  // 9: {0, 1, 2}
    {2, 3},  // 10: {1, 3}
    {0, 4},  // 11: {4}
}};
constexpr std::size_t kPlaces = 5;

using Positions = std::array<Lanes<std::int16_t>, kWidth>;

Positions find_positions(const Groups& groups, const Lanes<float>& scale) noexcept {
  Lanes<float> inverse;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    inverse[lane] = scale[lane] > 0x1p-60f ? 1.0f / scale[lane] : 0.0f;
  }
  Positions positions;
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float steps = groups.x[j][lane] * inverse[lane];
      const float near = std::max(-kFarthest, std::min(steps, kFarthest));
      positions[j][lane] = static_cast<std::int16_t>(near * kStep);
    }
  }
  return positions;
}

/// The number of the cheapest codebook vector near each lane's positions, moved by -shift.
void search_shift(const Groups& groups, const Positions& positions, int shift,
                  Lanes<std::uint16_t>& number) noexcept {
  constexpr std::size_t kSets = kMoveSets.size() + 1;
  std::array<Lanes<std::int16_t>, kWidth> keys;
  std::array<Lanes<std::uint16_t>, kSets> numbers;
  std::array<Lanes<std::int16_t>, kSets> prices;

  numbers[0].fill(kZeroVector);
  prices[0].fill(0);
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::int16_t y = static_cast<std::int16_t>(positions[j][lane] - shift);
      const std::int16_t magnitude = std::max<std::int16_t>(y, static_cast<std::int16_t>(-y));
      const std::int16_t beyond = static_cast<std::int16_t>(2 * magnitude - kStep);
      const std::int16_t distance =
          std::max<std::int16_t>(beyond, static_cast<std::int16_t>(-beyond));
      const bool nonzero = beyond > 0;
      const bool negative = y < 0;
      const std::int16_t step =
          negative ? static_cast<std::int16_t>(-kPowersOf3[j]) : kPowersOf3[j];
      numbers[0][lane] = static_cast<std::uint16_t>(numbers[0][lane] + (nonzero ? step : 0));
      const std::uint16_t price = static_cast<std::uint16_t>(
          (std::uint32_t{groups.share[j][lane]} * static_cast<std::uint16_t>(distance)) >> 16);
      const int move = static_cast<int>(j) | (nonzero != negative ? kLowers : 0);
      keys[j][lane] = static_cast<std::int16_t>((price & ~((1 << kPriceShift) - 1)) | move);
    }
  }

  for (const auto& [low, high] : kSortingNetwork) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::int16_t a = keys[low][lane];
      const std::int16_t b = keys[high][lane];
      keys[low][lane] = a < b ? a : b;
      keys[high][lane] = a < b ? b : a;
    }
  }

  std::array<Lanes<std::int16_t>, kPlaces> steps;
  for (std::size_t place = 0; place < kPlaces; ++place) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      steps[place][lane] = kMoveSteps[static_cast<std::size_t>(keys[place][lane] & 15)];
      keys[place][lane] = static_cast<std::int16_t>(keys[place][lane] >> kPriceShift);
    }
  }

  Lanes<std::int16_t> best;
  best.fill(kTooDear);
  number.fill(kZeroVector);  // should no set land in the codebook
  for (std::size_t set = 0; set < kSets; ++set) {
    if (set > 0) {
      const auto [from, place] = kMoveSets[set - 1];
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        numbers[set][lane] = static_cast<std::uint16_t>(numbers[from][lane] + steps[place][lane]);
        prices[set][lane] = static_cast<std::int16_t>(prices[from][lane] + keys[place][lane]);
      }
    }
    Lanes<std::int16_t> toll;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      toll[lane] = kEntryOfVector[numbers[set][lane]] == kNoEntry ? kTooDear : std::int16_t{0};
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::int16_t price = prices[set][lane] > toll[lane] ? prices[set][lane] : toll[lane];
      number[lane] = price < best[lane] ? numbers[set][lane] : number[lane];
      best[lane] = price < best[lane] ? price : best[lane];
    }
  }
}

/// Measures the codes in choice.number with the shift `shift` (+-1/8).
void measure(const Groups& groups, float shift, Choice& choice) noexcept {
  Lanes<std::uint16_t> packed;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    packed[lane] = packed_grids::kIq1sGrid[kEntryOfVector[choice.number[lane]]];
  }
  Lanes<float> a{};  // sum w x code
  Lanes<float> b{};  // sum w code^2
  Lanes<float> c{};  // sum w code
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const int level = packed[lane] >> (2 * j) & 3;
      const float code = static_cast<float>(level - 1);
      const float w_code = groups.w[j][lane] * code;
      a[lane] += groups.wx[j][lane] * code;
      b[lane] += w_code * code;
      c[lane] += w_code;
    }
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    choice.xy[lane] = a[lane] + shift * groups.sum_wx[lane];
    choice.yy[lane] = b[lane] + 2 * shift * c[lane] + shift * shift * groups.sum_w[lane];
  }
}

}  // namespace

void prepare(Groups& groups) noexcept {
  Lanes<float> largest{};
  groups.sum_w.fill(0);
  groups.sum_wx.fill(0);
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      groups.wx[j][lane] = groups.w[j][lane] * groups.x[j][lane];
      groups.sum_w[lane] += groups.w[j][lane];
      groups.sum_wx[lane] += groups.wx[j][lane];
      largest[lane] = std::max(largest[lane], groups.w[j][lane]);
    }
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) largest[lane] = 65535.0f / largest[lane];
  for (std::size_t j = 0; j < kWidth; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float share = std::min(groups.w[j][lane] * largest[lane], 65535.0f);
      groups.share[j][lane] = static_cast<std::uint16_t>(static_cast<int>(share));
    }
  }
}

void search(const Groups& groups, const Lanes<float>& scale, Choice& choice) noexcept {
  const Positions positions = find_positions(groups, scale);
  Choice other;
  search_shift(groups, positions, kShift, choice.number);
  search_shift(groups, positions, -kShift, other.number);
  measure(groups, kIq1Delta, choice);
  measure(groups, -kIq1Delta, other);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const float s = scale[lane];
    const bool negative = s * (s * other.yy[lane] - 2 * other.xy[lane]) <
                          s * (s * choice.yy[lane] - 2 * choice.xy[lane]);
    choice.number[lane] = negative ? other.number[lane] : choice.number[lane];
    choice.shift[lane] = negative ? 1 : 0;
    choice.xy[lane] = negative ? other.xy[lane] : choice.xy[lane];
    choice.yy[lane] = negative ? other.yy[lane] : choice.yy[lane];
  }
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
