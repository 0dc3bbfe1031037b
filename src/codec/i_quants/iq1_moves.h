#pragma once

// The moves of the search of IQ1_M and IQ1_S: which are tried, and which of them lead to a vector of
// the codebook.

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "codec/i_quants/iq1_codebook.h"
#include "simd/tables.h"

namespace sluice::inline SLUICE_ISA::iq1 {

/// A search goes register by register: of all that it holds for one, little stays in registers.
using PartShorts = simd::Part<std::int16_t>;
using PartMask = simd::Mask<std::int16_t, PartShorts::kLanes>;

// One step of the ternary code in the fixed-point places of weights. Places beyond 2.37 steps are
// drawn in to it. Their code is +-1 whatever the distance, and moving them hardly ever pays.
inline constexpr int kStep = 8192;
inline constexpr float kFarthest = 2.37f;
inline constexpr int kShift = static_cast<int>(kIq1Delta * kStep);
inline constexpr int kTooDear = 32767;
/// Where a register's prices begin, so that those that count are negative.
inline constexpr int kNoPrice = -32768;

/// Whether what holds for lanes is lanes too, with all bits set or none.
inline constexpr bool kMasksAreLanes =
    std::is_same_v<simd::Machine::Mask<std::int16_t>, simd::Machine::Register<std::int16_t>>;

// A sort key: 11 bits of the price (that is below 2^14, share and distance being what they are);
// then which coordinate moves; then whether the move raises its code. Equal prices are thus ordered
// too. Prices are added up, saturated, with those low bits left in: they make no difference.
inline constexpr int kCoordinateBits = 3;

/// Sorts 8 with the fewest comparators, but for the last of them: only the first places are used.
// clang-format off
inline constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 18> kSortingNetwork = {{
    {0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}, {0, 1},
    {2, 3}, {4, 5}, {6, 7}, {2, 4}, {3, 5}, {1, 4}, {3, 6}, {1, 2}, {3, 4}}};
// clang-format on

/// A move by the low 4 bits of its key: the coordinate that moves, then whether its code is raised.
inline constexpr std::size_t kMoves = 16;
constexpr int step_of_move(std::size_t move) noexcept {
  const int power = kPowersOf3[move / 2];
  return move % 2 != 0 ? power : -power;
}
#if !defined(SLUICE_NEON)
/// What a move adds to the vector's number.
inline constexpr simd::ShortTable kMoveSteps([](std::size_t move) {
  return static_cast<std::int16_t>(step_of_move(move));
});
#endif

/// The sets of moves that are tried, each made of an earlier one and the move at a place in the
/// order of prices. Chosen greedily by what each takes off the summed error over synthetic and
/// trained weights; further sets take off less than 0.01 % together.
struct MoveSet {
  std::uint8_t from;  // set 0 is the empty one; set n is kMoveSets[n - 1]
  std::uint8_t place;
};
inline constexpr std::array<MoveSet, 11> kMoveSets = {{
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
inline constexpr std::size_t kPlaces = 5;

#if defined(__AVX512VBMI__)

/// The vectors that are in the codebook.
inline constexpr simd::NumberSet<kVectors> kMembers([](std::size_t n) {
  return kEntryOfVector[n] != kNoEntry;
});

/// For both shifts the cheapest set that lands in the codebook: each set's vector is looked up.
template <std::size_t kSets, typename Shifted>
SLUICE_INLINE void take_cheapest(Shifted& plus, Shifted& minus) noexcept {
#pragma GCC unroll 12
  for (std::size_t set = 0; set < kSets; ++set) {
    PartMask in_plus;
    PartMask in_minus;
    kMembers.test(plus.numbers[set], minus.numbers[set], in_plus, in_minus);
    plus.keep_if_cheaper(set, in_plus);
    minus.keep_if_cheaper(set, in_minus);
  }
}

#else

/// Which moves of each vector lead to one of the codebook, a bit for each. (Those that no coordinate
/// can make mean nothing.)
inline constexpr auto kWaysIn = [] {
  std::array<std::uint16_t, kVectors> ways{};
  for (std::size_t to = 0; to < kVectors; ++to) {
    if (kEntryOfVector[to] == kNoEntry) continue;
    for (std::size_t move = 0; move < kMoves; ++move) {
      const int from = static_cast<int>(to) - step_of_move(move);
      if (from < 0 || from >= static_cast<int>(kVectors)) continue;
      std::uint16_t& moves = ways[static_cast<std::size_t>(from)];
      moves = static_cast<std::uint16_t>(moves | 1u << move);
    }
  }
  return ways;
}();

#if !defined(SLUICE_NEON)

/// A move as a bit.
inline constexpr simd::ShortTable kMoveBits([](std::size_t move) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(1u << move));
});

/// The sets that others are made of come first: so many.
template <std::size_t kSets>
inline constexpr std::size_t kBegins = [] {
  std::size_t begins = 0;
  for (std::size_t set = 1; set < kSets; ++set) {
    if (kMoveSets[set - 1].from >= begins) begins = kMoveSets[set - 1].from + std::size_t{1};
  }
  return begins;
}();

/// The cheapest set that lands in the codebook. A table in memory is looked up lane by lane, so it is
/// for the few vectors that moves begin at, and tells of all of their moves.
template <std::size_t kSets, typename Shifted>
SLUICE_INLINE void take_cheapest(Shifted& shifted) noexcept {
  PartShorts ways[kBegins<kSets>];
  PartShorts moves[kPlaces];
#pragma GCC unroll 4
  for (std::size_t set = 0; set < kBegins<kSets>; ++set) {
    ways[set] = simd::gather(kWaysIn, shifted.numbers[set]);
  }
#pragma GCC unroll 5
  for (std::size_t place = 0; place < kPlaces; ++place) {
    moves[place] = kMoveBits.look_up(shifted.keys[place]);
  }
  // The empty set lands where the first move back from the set of the first move does.
  static_assert(kBegins<kSets> >= 2 && kMoveSets[0].from == 0 && kMoveSets[0].place == 0);
  shifted.keep_if_cheaper(0, all_bits(ways[1], kMoveBits.look_up(shifted.keys[0] ^ 1)));
#pragma GCC unroll 12
  for (std::size_t set = 1; set < kSets; ++set) {
    const auto [from, place] = kMoveSets[set - 1];
    shifted.keep_if_cheaper(set, all_bits(ways[from], moves[place]));
  }
}

/// The same for both shifts.
template <std::size_t kSets, typename Shifted>
SLUICE_INLINE void take_cheapest(Shifted& plus, Shifted& minus) noexcept {
  take_cheapest<kSets>(plus);
  take_cheapest<kSets>(minus);
}

#endif

#endif

}  // namespace sluice::inline SLUICE_ISA::iq1
