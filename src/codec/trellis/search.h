#pragma once

// The search for the vector of a codebook that is nearest to a group of weights: in the cells that are near to
// the region of its target (regions.h).
//
// Scores are sums of products of bytes, in which an error is not known to the last per cent. So the best
// of some lanes are compared once more, as floats.

#include <cstddef>
#include <cstdint>

#include "codec/trellis/cells.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// How far is looked: how many cells of a region's.
struct TrellisEffort {
  std::size_t first_cells;  ///< that prices are made of; even
  std::size_t last_cells;   ///< that are searched at the multiples with the least prices
  std::size_t scales;       ///< how many these are at most
};

/// The vectors of 16 lanes, by their index.
using TrellisIndices = simd::Lanes<std::uint32_t, 16>;

/// Calls each(j, integers j of the vectors).
template <TrellisCodebook kBook, typename Each>
SLUICE_INLINE void for_each_integer(const TrellisIndices& indices, const Each& each) noexcept {
  using simd::Ints;
  TrellisIndices state = indices + TrellisIndices(kBook.offset);
  for (std::size_t j = 0; j < kBook.group; ++j) {
    state *= TrellisIndices(trellis_next(1));
    const TrellisIndices bytes =
        (state & TrellisIndices(0x3f3f3f3fu)) * TrellisIndices(0x01010101u);
    const Ints sum = (simd::shift_right<24>(simd::bits_of<Ints>(bytes)) & Ints(255)) - Ints(126);
    each(j, kBook.magnitudes ? abs(to_floats(sum)) : to_floats(sum));
  }
}

/// The best vector of each lane, of the first cells of a list.
template <TrellisCodebook kBook>
class TrellisFinds {
 public:
  using Cells = TrellisCells<kBook>;
  using Query = TrellisQuery<kBook.group>;

  TrellisFinds(const Cells& cells, const Query& query, const std::uint16_t* near,
               std::size_t count) noexcept
      : cells_(cells), near_(near) {
    using simd::Ints;
    Ints place = simd::shift_left<kOrdinalBits>(simd::lane_numbers());
    for (std::size_t i = 0; i < count; ++i) {
      const Ints score = query.score(cells.cell(near[i]));
      best_ = max(best_, simd::shift_left<4 + kOrdinalBits>(score) | place);
      place += Ints(1);
    }
  }

  /// Of all lanes.
  TrellisIndices best() const noexcept {
    std::int32_t entries[16];
    best_.store(entries);
    std::uint32_t indices[16];
    for (std::size_t lane = 0; lane < 16; ++lane) indices[lane] = index(entries[lane]);
    return TrellisIndices::load(indices);
  }
  /// The best of the lanes that have the same remainder by 4.
  void best_of_fours(std::uint32_t (&indices)[4]) const noexcept {
    std::int32_t entries[4];
    simd::most_of_fours(best_, entries);
    for (std::size_t i = 0; i < 4; ++i) indices[i] = index(entries[i]);
  }

 private:
  static constexpr int kOrdinalBits = 6;
  static_assert(Cells::Regions::kMost <= 1u << kOrdinalBits);

  std::uint32_t index(std::int32_t entry) const noexcept {
    const auto bits = static_cast<std::uint32_t>(entry);
    return cells_.index(near_[bits % (1u << kOrdinalBits)], bits >> kOrdinalBits & 15u);
  }

  const Cells& cells_;
  const std::uint16_t* near_;
  simd::Ints best_ = INT32_MIN;
};

}  // namespace sluice::inline SLUICE_ISA
