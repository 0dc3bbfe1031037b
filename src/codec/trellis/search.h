#pragma once

// The search for the vector of a codebook that is nearest to a group of weights: in the cells that are near to
// the region of its target (regions.h).
//
// Scores are sums of products of bytes, in which an error is not known to the last per cent. So the best
// of some lanes are compared once more, as floats.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/trellis/cells.h"
#include "codec/trellis/near.h"
#include "codec/trellis/tile.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// How far is looked: how many cells of a region's.
struct TrellisEffort {
  static constexpr std::size_t kMostScales = 2;

  std::size_t first_cells;  ///< that prices are made of; even
  std::size_t last_cells;   ///< that are searched at the multiples with the least prices
  std::size_t scales;       ///< how many these are at most, up to kMostScales
};

/// The vectors of 16 lanes, by their index.
using TrellisIndices = simd::Lanes<std::uint32_t, 16>;

SLUICE_INLINE TrellisIndices select_indices(const simd::FloatMask& mask, const TrellisIndices& a,
                                            const TrellisIndices& b) noexcept {
  using simd::Ints;
  return simd::bits_of<TrellisIndices>(
      select(mask, simd::bits_of<Ints>(a), simd::bits_of<Ints>(b)));
}

/// Calls each(j, integers j of the vectors).
template <TrellisCodebook kBook, typename Each>
SLUICE_INLINE void for_each_integer(const TrellisIndices& indices, const Each& each) noexcept {
  using simd::Ints;
  TrellisIndices state = indices + TrellisIndices(kBook.offset);
  for (std::size_t j = 0; j < kBook.group; ++j) {
    state *= TrellisIndices(trellis_next(1));
    const Ints bytes = simd::bits_of<Ints>(state & TrellisIndices(0x3f3f3f3fu));
    const Ints sum = simd::accumulate_byte_products(Ints(-126), bytes, Ints(0x01010101));
    each(j, kBook.magnitudes ? abs(to_floats(sum)) : to_floats(sum));
  }
}

/// Cells' places in a list: a step of the search takes one from memory, for nothing.
struct TrellisOrdinals {
  std::int32_t of[64];
  constexpr TrellisOrdinals() noexcept : of() {
    for (int i = 0; i < 64; ++i) of[i] = i;
  }
};
inline constexpr TrellisOrdinals kTrellisOrdinals;

/// The best vectors of each lane of cells, for two groups: side by side, they share the way through the loop.
/// \tparam kDepth  how many of a lane
template <TrellisCodebook kBook, std::size_t kDepth = 1>
class TrellisFinds {
 public:
  using Cells = TrellisCells<kBook>;
  using Queries = TrellisQueries<kBook.group>;
  static constexpr std::size_t kTogether = 2;

  /// A function of its own, as TrellisPrices::look_at().
  /// \param first  of the groups
  [[gnu::noinline]] TrellisFinds(const Cells& cells, const Queries& queries,
                                 const TrellisNear<kBook>& near, std::size_t first) noexcept
      : cells_(cells), near_{near[first], near[first + 1]} {
    using simd::Ints;
    const TrellisQuery<kBook.group> query[] = {queries.query(first), queries.query(first + 1)};
    const std::size_t count = std::max(near.count(first), near.count(first + 1));
    for (auto& of_group : best_) {
      for (Ints& best : of_group) best = INT32_MIN;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const Ints ordinal(kTrellisOrdinals.of[i]);
      for (std::size_t k = 0; k < kTogether; ++k) {
        const Ints score = query[k].score(cells.cell(near_[k][i]));
        Ints entry = simd::shift_left<4 + kOrdinalBits>(score) | ordinal;
        for (Ints& best : best_[k]) {
          const Ints other = min(best, entry);
          best = max(best, entry);
          entry = other;
        }
      }
    }
    const Ints lanes = simd::shift_left<kOrdinalBits>(simd::lane_numbers());
    for (auto& of_group : best_) {
      for (Ints& best : of_group) best |= lanes;
    }
  }

  /// Of all lanes those of a rank.
  TrellisIndices best(std::size_t k, std::size_t rank) const noexcept {
    std::int32_t entries[16];
    best_[k][rank].store(entries);
    std::uint32_t indices[16];
    for (std::size_t lane = 0; lane < 16; ++lane) indices[lane] = index(k, entries[lane]);
    return TrellisIndices::load(indices);
  }
  /// The best of the lanes that have the same remainder by 4.
  std::array<std::uint32_t, 4> best_of_fours(std::size_t k) const noexcept {
    std::int32_t entries[4];
    simd::most_of_fours(best_[k][0], entries);
    return {index(k, entries[0]), index(k, entries[1]), index(k, entries[2]), index(k, entries[3])};
  }

 private:
  static constexpr int kOrdinalBits = 6;
  static_assert(Cells::Regions::kMost <= 1u << kOrdinalBits);

  std::uint32_t index(std::size_t k, std::int32_t entry) const noexcept {
    const auto bits = static_cast<std::uint32_t>(entry);
    return cells_.index(near_[k][bits % (1u << kOrdinalBits)], bits >> kOrdinalBits & 15u);
  }

  const Cells& cells_;
  const std::uint16_t* near_[kTogether];
  simd::Ints best_[kTogether][kDepth];  ///< growing numbers for lesser errors
};

}  // namespace sluice::inline SLUICE_ISA
