#include "codec/iq1_m/group_search.h"

#include <array>
#include <utility>

#include "codec/iq1_m/codes.h"
#include "codec/iq1_m/lookups.h"
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
// All of it is in 16-bit integers: the same on any machine, 32 to a 512-bit register, and both
// shifts go side by side.

// One step of the ternary code in the fixed-point places of weights. Places beyond 2.37 steps are
// drawn in to it. Their code is +-1 whatever the distance, and moving them hardly ever pays.
constexpr int kStep = 8192;
constexpr float kFarthest = 2.37f;
constexpr int kShift = static_cast<int>(kIq1Delta * kStep);
constexpr int kTooDear = 32767;

// A sort key: 11 bits of the price (that is below 2^14, share and distance being what they are);
// then which coordinate moves; then whether the move raises its code. Equal prices are thus ordered
// too. Prices are added up, saturated, with those low bits left in: they make no difference.
constexpr int kCoordinateBits = 3;

/// Sorts 8 with the fewest comparators, but for the last of them: only the first places are used.
constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 18> kSortingNetwork = {{{0, 2},
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
                                                                                    {3, 4}}};

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
static_assert(kAllSets == kMoveSets.size() + 1, "the empty set is one");
constexpr std::size_t kPlaces = 5;

/// How far a search for one shift has come.
template <std::size_t kSets>
struct Shifted {
  Shorts keys[kWidth];
  Shorts numbers[kSets];
  Shorts prices[kSets];
  Shorts steps[kPlaces];
  Shorts number;  // of the cheapest set in the codebook
  Shorts price;

  SLUICE_INLINE void sort() noexcept {
#pragma GCC unroll 18
    for (std::size_t i = 0; i < kSortingNetwork.size(); ++i) {
      Shorts& low = keys[kSortingNetwork[i].first];
      Shorts& high = keys[kSortingNetwork[i].second];
      const Shorts a = low;
      low = least(a, high);
      high = most(a, high);
    }
  }

  SLUICE_INLINE void keep_if_cheaper(std::size_t set, const LaneMask& in_codebook) noexcept {
    const LaneMask better = less_where(in_codebook, prices[set], price);
    number = select(better, numbers[set], number);
    price = select(better, prices[set], price);
  }
};

/// Measures the vectors `number` with a shift of kSign / 8.
template <int kSign>
SLUICE_INLINE void measure(const Groups& groups, const Shorts& number, Choice& choice) noexcept {
  const Shorts flags = flags_of(number);
  Shorts wx = shorts(0);     // sum w x code
  Shorts plus = shorts(0);   // sum w where the code is 1
  Shorts minus = shorts(0);  // and where it is -1
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kWidth; ++j) {
    const LaneMask positive = any_bit(flags, 1 << (2 * j));
    const LaneMask negative = any_bit(flags, 2 << (2 * j));
    wx = add_where(positive, wx, groups.wx[j]);
    plus = add_where(positive, plus, groups.w[j]);
    wx = subtract_where(negative, wx, groups.wx[j]);
    minus = add_where(negative, minus, groups.w[j]);
  }
  constexpr float kDelta = kSign * kIq1Delta;
  for (std::size_t h = 0; h < 2; ++h) {
    const Floats p = floats(plus, h);
    const Floats m = floats(minus, h);
    // (1 + delta)^2 where the code is 1, (1 - delta)^2 where it is -1, delta^2 anywhere else.
    const Floats xy = floats(wx, h) * groups.wx_unit.half[h] + all(kDelta) * groups.sum_wx.half[h];
    choice.twice_xy.half[h] = xy + xy;
    choice.yy.half[h] =
        (p * all(1 + 2 * kDelta) + m * all(1 - 2 * kDelta)) * groups.w_unit.half[h] +
        all(kDelta * kDelta) * groups.sum_w.half[h];
  }
}

/// The search, inlined in both of its forms.
template <std::size_t kSets>
SLUICE_INLINE void find(const Groups& groups, const Halves& scale, Choice& up,
                        Choice& down) noexcept {
  Halves inverse;
  for (std::size_t h = 0; h < 2; ++h) {
    inverse.half[h] = select(all(0x1p-60f) < scale.half[h], all(kStep) / scale.half[h], all(0));
  }
  Shifted<kSets> plus;
  Shifted<kSets> minus;
  plus.numbers[0] = minus.numbers[0] = shorts(kVectors - 1);  // all ones
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kWidth; ++j) {
    Halves near;
    for (std::size_t h = 0; h < 2; ++h) {
      constexpr float kMost = kFarthest * kStep;
      near.half[h] = most(least(groups.x[j].half[h] * inverse.half[h], all(kMost)), all(-kMost));
    }
    const Shorts place = integers(near.half[0], near.half[1]);
    // Not noexcept, because the compilers disagree about where an attribute stands beside it.
    const auto add_key = [&](Shifted<kSets> & shifted, const Shorts& y)
        __attribute__((always_inline)) {
      // The sign of `beyond` tells +-1 from 0, the sign of y +-1 from each other. The code is 1,
      // less 1 for a y below zero, less 1 again if a move would raise it.
      const Shorts beyond = magnitude(y) - shorts(kStep / 2);
      const Shorts raises = beyond ^ y;  // its sign
      const Shorts power = shorts(kPowersOf3[j]);
      shifted.numbers[0] = subtract_where(negative(y), shifted.numbers[0], power);
      shifted.numbers[0] = subtract_where(negative(raises), shifted.numbers[0], power);
      const Shorts price = multiply_high(groups.share[j], magnitude(beyond));
      shifted.keys[j] = append_sign(
          (price & shorts(~((1 << kCoordinateBits) - 1))) | shorts(static_cast<int>(j)), raises);
    };
    add_key(plus, place - shorts(kShift));
    add_key(minus, place + shorts(kShift));
  }
  plus.sort();
  minus.sort();
  for (std::size_t place = 0; place < kPlaces; ++place) {
    plus.steps[place] = step_of_move(plus.keys[place]);
    minus.steps[place] = step_of_move(minus.keys[place]);
  }

  const Membership membership;
  plus.prices[0] = minus.prices[0] = shorts(0);
  plus.price = minus.price = shorts(kTooDear);
  plus.number = minus.number = shorts(kZeroVector);  // should no set land in the codebook
#pragma GCC unroll 12
  for (std::size_t set = 0; set < kSets; ++set) {
    if (set > 0) {
      const auto [from, place] = kMoveSets[set - 1];
      for (Shifted<kSets>* shifted : {&plus, &minus}) {
        shifted->numbers[set] = shifted->numbers[from] + shifted->steps[place];
        shifted->prices[set] = add_saturated(shifted->prices[from], shifted->keys[place]);
      }
    }
    LaneMask in_plus;
    LaneMask in_minus;
    membership.test(plus.numbers[set], minus.numbers[set], in_plus, in_minus);
    plus.keep_if_cheaper(set, in_plus);
    minus.keep_if_cheaper(set, in_minus);
  }

  measure<1>(groups, plus.number, up);
  measure<-1>(groups, minus.number, down);
  up.code = plus.number;
  down.code = minus.number | shorts(kNegativeShift);
}

}  // namespace

void prepare(const Halves* w, const Halves* wx, Groups& groups) noexcept {
  constexpr float kMost = 4095;
  Halves w_factor;
  Halves wx_factor;
  for (std::size_t h = 0; h < 2; ++h) {
    // Products too small to invert are as good as none.
    Floats largest_w = all(0x1p-100f);
    Floats largest_wx = largest_w;
    Floats sum_w = all(0);
    Floats sum_wx = sum_w;
    for (std::size_t j = 0; j < kWidth; ++j) {
      sum_w = sum_w + w[j].half[h];
      sum_wx = sum_wx + wx[j].half[h];
      largest_w = most(largest_w, w[j].half[h]);
      largest_wx = most(largest_wx, magnitude(wx[j].half[h]));
    }
    groups.sum_w.half[h] = sum_w;
    groups.sum_wx.half[h] = sum_wx;
    groups.w_unit.half[h] = largest_w * all(1 / kMost);
    groups.wx_unit.half[h] = largest_wx * all(1 / kMost);
    w_factor.half[h] = all(kMost) / largest_w;
    wx_factor.half[h] = all(kMost) / largest_wx;
  }
  for (std::size_t j = 0; j < kWidth; ++j) {
    Halves rounded_w;
    Halves rounded_wx;
    for (std::size_t h = 0; h < 2; ++h) {
      const Floats half = all(0.5f);
      const Floats scaled = wx[j].half[h] * wx_factor.half[h];
      rounded_w.half[h] = w[j].half[h] * w_factor.half[h] + half;
      rounded_wx.half[h] = select(scaled < all(0), scaled - half, scaled + half);
    }
    const Shorts w12 = integers(rounded_w.half[0], rounded_w.half[1]);
    groups.w[j] = w12;
    groups.wx[j] = integers(rounded_wx.half[0], rounded_wx.half[1]);
    groups.share[j] = left<4>(w12);
  }
}

template <std::size_t kSets>
void search_shifts(const Groups& groups, const Halves& scale, Choice& up, Choice& down) noexcept {
  find<kSets>(groups, scale, up, down);
}

template <std::size_t kSets>
void search(const Groups& groups, const Halves& scale, Choice& choice) noexcept {
  Choice other;
  find<kSets>(groups, scale, choice, other);
  FloatMask better[2];
  for (std::size_t h = 0; h < 2; ++h) {
    const Floats s = scale.half[h];
    better[h] = s * other.yy.half[h] - other.twice_xy.half[h] <
                s * choice.yy.half[h] - choice.twice_xy.half[h];
    choice.twice_xy.half[h] = select(better[h], other.twice_xy.half[h], choice.twice_xy.half[h]);
    choice.yy.half[h] = select(better[h], other.yy.half[h], choice.yy.half[h]);
  }
  choice.code = select(join(better[0], better[1]), other.code, choice.code);
}

template void search_shifts<kAllSets>(const Groups&, const Halves&, Choice&, Choice&) noexcept;
template void search_shifts<kFewSets>(const Groups&, const Halves&, Choice&, Choice&) noexcept;
template void search<kAllSets>(const Groups&, const Halves&, Choice&) noexcept;
template void search<kFewSets>(const Groups&, const Halves&, Choice&) noexcept;

}  // namespace sluice::inline SLUICE_ISA::iq1_m
