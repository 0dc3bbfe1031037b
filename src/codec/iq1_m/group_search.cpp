#include "codec/iq1_m/group_search.h"

#include <array>
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
// All of it is in 16-bit integers: the same on any machine, 32 to a 512-bit register, and both
// shifts go side by side.

// One step of the ternary code in the fixed-point places of weights. Places beyond 2.37 steps are
// drawn in to it. Their code is +-1 whatever the distance, and moving them hardly ever pays.
constexpr int kStep = 8192;
constexpr float kFarthest = 2.37f;
constexpr int kShift = static_cast<int>(kIq1Delta * kStep);
constexpr int kTooDear = 32767;

// A sort key: the price in the high bits; then which coordinate moves; then whether the move raises
// its code. Equal prices are thus ordered too. Prices are added up with those low bits left in,
// they make no difference.
constexpr int kCoordinateBits = 3;

struct alignas(64) MoveSteps {
  std::array<std::uint16_t, kLanes> step{};
};
/// What a move adds to the vector's number, by the low bits of its key (all five that a permutation
/// of 32 lanes looks at).
constexpr MoveSteps kMoveSteps = [] {
  MoveSteps steps;
  for (std::size_t i = 0; i < kLanes; ++i) {
    const int power = kPowersOf3[i / 2 % kWidth];
    steps.step[i] = static_cast<std::uint16_t>(i % 2 != 0 ? power : -power);
  }
  return steps;
}();

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
constexpr std::size_t kSets = kMoveSets.size() + 1;
constexpr std::size_t kPlaces = 5;

#if defined(__AVX512VBMI__)

/// The codebook's bitmap in registers: 14 of them, and both shifts' 64 vectors looked up at once.
class Membership {
 public:
  Membership() noexcept {
    for (std::size_t t = 0; t < 2 * kMemberTables; ++t) {
      table_[t] = _mm512_load_si512(kMembers.bits[t / 2].data() + t % 2 * 64);
    }
    for (int i = 0; i < 64; ++i) bit_[i] = static_cast<char>(1u << (i % 8));
  }

  /// Which of the vectors are in the codebook.
  SLUICE_INLINE void test(Shorts a, Shorts b, LaneMask& in_a, LaneMask& in_b) const noexcept {
    // Bytes of a and b by turns: the low 7 bits of the numbers (and one that does not count), and
    // the high 6.
    const __m512i low_byte = _mm512_set1_epi16(0xff);
    const __m512i low = pick(low_byte, a.v, _mm512_slli_epi16(b.v, 8));
    const __m512i high = pick(low_byte, _mm512_srli_epi16(a.v, 7), _mm512_slli_epi16(b.v, 1));
    const __mmask64 m0 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(8));
    const __mmask64 m1 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(16));
    const __mmask64 m2 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(32));
    const auto look_up = [&](std::size_t t) noexcept {
      return _mm512_permutex2var_epi8(table_[2 * t], low, table_[2 * t + 1]);
    };
    static_assert(kMemberTables == 7);
    const __m512i t01 = _mm512_mask_mov_epi8(look_up(0), m0, look_up(1));
    const __m512i t23 = _mm512_mask_mov_epi8(look_up(2), m0, look_up(3));
    const __m512i t45 = _mm512_mask_mov_epi8(look_up(4), m0, look_up(5));
    const __m512i t0123 = _mm512_mask_mov_epi8(t01, m1, t23);
    const __m512i t456 = _mm512_mask_mov_epi8(t45, m1, look_up(6));
    const __m512i bits = _mm512_mask_mov_epi8(t0123, m2, t456);
    const __m512i hit =
        _mm512_and_si512(bits, _mm512_permutexvar_epi8(high, _mm512_load_si512(bit_)));
    in_a.m = _mm512_test_epi16_mask(hit, low_byte);
    in_b.m = _mm512_test_epi16_mask(hit, _mm512_set1_epi16(static_cast<short>(0xff00)));
  }

 private:
  static SLUICE_INLINE __m512i pick(__m512i mask, __m512i a, __m512i b) noexcept {
    return _mm512_ternarylogic_epi32(mask, a, b, 0xca);
  }

  __m512i table_[2 * kMemberTables];
  alignas(64) char bit_[64];
};

SLUICE_INLINE Shorts move_steps(Shorts keys) noexcept {
  return {_mm512_permutexvar_epi16(keys.v, _mm512_load_si512(kMoveSteps.step.data()))};
}

/// The flags of the coordinates of each vector.
SLUICE_INLINE Shorts find_flags(Shorts number) noexcept {
  // number / 81, exact for all numbers: 6473 / 2^19 is 1 / 81 and 6e-7 more.
  const __m512i high = _mm512_srli_epi16(_mm512_mulhi_epu16(number.v, _mm512_set1_epi16(6473)), 3);
  // number % 81 + 256 * (number / 81)
  const __m512i fours =
      _mm512_add_epi16(number.v, _mm512_mullo_epi16(high, _mm512_set1_epi16(256 - 81)));
  return {_mm512_permutex2var_epi8(_mm512_load_si512(kFlagsOfFour.flags.data()), fours,
                                   _mm512_load_si512(kFlagsOfFour.flags.data() + 64))};
}

#else

/// All bits for the vectors that are in the codebook.
constexpr auto kIsMember = [] {
  std::array<std::int16_t, kVectors> members{};
  for (std::size_t n = 0; n < kVectors; ++n) members[n] = kEntryOfVector[n] == kNoEntry ? 0 : -1;
  return members;
}();

template <typename Table>
SLUICE_INLINE Shorts look_up(const Table& table, const Shorts& index) noexcept {
  const ShortLanes from = recast<ShortLanes>(index);
  ShortLanes to;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    to.lane[lane] = static_cast<std::int16_t>(table[static_cast<std::uint16_t>(from.lane[lane])]);
  }
  return recast<Shorts>(to);
}

class Membership {
 public:
  SLUICE_INLINE void test(const Shorts& a, const Shorts& b, LaneMask& in_a,
                          LaneMask& in_b) const noexcept {
    in_a = recast<LaneMask>(look_up(kIsMember, a));
    in_b = recast<LaneMask>(look_up(kIsMember, b));
  }
};

SLUICE_INLINE Shorts move_steps(const Shorts& keys) noexcept {
  return look_up(kMoveSteps.step, keys & shorts(kLanes - 1));
}

constexpr auto kFlags = [] {
  std::array<std::uint16_t, kVectors> flags{};
  for (std::size_t n = 0; n < kVectors; ++n) {
    flags[n] =
        static_cast<std::uint16_t>(kFlagsOfFour.flags[n % 81] | kFlagsOfFour.flags[n / 81] << 8);
  }
  return flags;
}();

SLUICE_INLINE Shorts find_flags(const Shorts& number) noexcept {
  return look_up(kFlags, number);
}

#endif

/// How far a search for one shift has come.
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
  const Shorts flags = find_flags(number);
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

}  // namespace

Shorts flags_of(const Shorts& number) noexcept {
  return find_flags(number);
}

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

void search(const Groups& groups, const Halves& scale, Choice& choice) noexcept {
  Halves inverse;
  for (std::size_t h = 0; h < 2; ++h) {
    inverse.half[h] = select(all(0x1p-60f) < scale.half[h], all(kStep) / scale.half[h], all(0));
  }
  Shifted plus;
  Shifted minus;
  plus.numbers[0] = minus.numbers[0] = shorts(kVectors - 1);  // all ones
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kWidth; ++j) {
    Halves near;
    for (std::size_t h = 0; h < 2; ++h) {
      constexpr float kMost = kFarthest * kStep;
      near.half[h] = most(least(groups.x[j].half[h] * inverse.half[h], all(kMost)), all(-kMost));
    }
    const Shorts place = integers(near.half[0], near.half[1]);
    const auto add_key = [&](Shifted & shifted, const Shorts& y) noexcept
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
    plus.steps[place] = move_steps(plus.keys[place]);
    minus.steps[place] = move_steps(minus.keys[place]);
  }

  const Membership membership;
  plus.prices[0] = minus.prices[0] = shorts(0);
  plus.price = minus.price = shorts(kTooDear);
  plus.number = minus.number = shorts(kZeroVector);  // should no set land in the codebook
#pragma GCC unroll 12
  for (std::size_t set = 0; set < kSets; ++set) {
    if (set > 0) {
      const auto [from, place] = kMoveSets[set - 1];
      for (Shifted* shifted : {&plus, &minus}) {
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

  Choice other;
  measure<1>(groups, plus.number, choice);
  measure<-1>(groups, minus.number, other);
  FloatMask better[2];
  for (std::size_t h = 0; h < 2; ++h) {
    const Floats s = scale.half[h];
    better[h] = s * other.yy.half[h] - other.twice_xy.half[h] <
                s * choice.yy.half[h] - choice.twice_xy.half[h];
    choice.twice_xy.half[h] = select(better[h], other.twice_xy.half[h], choice.twice_xy.half[h]);
    choice.yy.half[h] = select(better[h], other.yy.half[h], choice.yy.half[h]);
  }
  choice.code =
      select(join(better[0], better[1]), minus.number | shorts(kNegativeShift), plus.number);
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
