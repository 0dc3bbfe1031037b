#pragma once

// The search for the vector of a codebook that is nearest to a group of weights.
//
// It goes down a tree (tree.h): the means of branches, of which those are looked into that are within a
// margin of the best; the means of their cells; and all vectors of the cells that are within another
// margin of the best of these. A margin is in units of what a cell's vectors spread. What is kept of a
// level's means are the best few of each of 16 lanes: numbers travel in the low bits of the scores, so
// that no list is made before it is short.
//
// Scores are sums of products of bytes, in which an error is not known to the last per cent. So the best
// of some lanes are compared once more, as floats.

#include <cstddef>
#include <cstdint>

#include "codec/trellis/tree.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// How far is looked: margins, as multiples of what the integers' spread makes of a target's weights.
struct TrellisEffort {
  float branches;
  float first_cells;   ///< that prices are made of
  float last_cells;    ///< that are searched at the multiples with the least prices
  std::size_t scales;  ///< how many these are at most
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

/// The kDepth best scores of each lane, and the numbers of the registers that had them.
template <std::size_t kDepth>
class TrellisBeam {
 public:
  using Ints = simd::Ints;
  static constexpr int kNumberBits = 9;
  /// Of a list.
  static constexpr std::size_t kMost = 16 * kDepth;

  TrellisBeam() noexcept {
    for (Ints& entry : entries_) entry = INT32_MIN;
  }

  /// \param number  below 2^kNumberBits
  SLUICE_INLINE void add(const Ints& score, std::size_t number) noexcept {
    Ints next = simd::shift_left<kNumberBits>(score) | Ints(static_cast<std::int32_t>(number));
    for (Ints& entry : entries_) {
      const Ints better = max(entry, next);
      next = min(entry, next);
      entry = better;
    }
  }

  /// Writes 16 n + l for each register n and lane l that score within a margin of the best, and
  /// returns the end, which is not the beginning; there must be room for kMost + 16.
  std::uint16_t* list(std::int32_t margin, std::uint16_t* to) const noexcept {
    const std::int32_t least = (simd::most_of(entries_[0]) >> kNumberBits) - margin;
    const Ints below(least * (1 << kNumberBits) - 1);
    for (const Ints& entry : entries_) {
      const Ints number = entry & Ints((1 << kNumberBits) - 1);
      to =
          simd::append_where(entry > below, simd::shift_left<4>(number) | simd::lane_numbers(), to);
    }
    return to;
  }

 private:
  Ints entries_[kDepth];
};

/// Cells that are looked into, or branches.
template <std::size_t kDepth>
class TrellisList {
 public:
  void fill(const TrellisBeam<kDepth>& beam, std::int32_t margin) noexcept {
    end_ = beam.list(margin, numbers_);
    // Who takes two at a time finds the last one once more.
    *end_ = end_[-1];
  }
  const std::uint16_t* begin() const noexcept { return numbers_; }
  const std::uint16_t* end() const noexcept { return end_; }
  std::size_t operator[](std::size_t i) const noexcept { return numbers_[i]; }

 private:
  std::uint16_t numbers_[TrellisBeam<kDepth>::kMost + 17];
  std::uint16_t* end_;
};

/// The best vector of each lane, of those that were looked at.
template <TrellisCodebook kBook, std::size_t kDepth>
class TrellisFinds {
 public:
  using Tree = TrellisTree<kBook>;
  using Query = TrellisQuery<kBook.group>;

  TrellisFinds(const Tree& tree, const Query& query, const TrellisList<kDepth>& cells) noexcept
      : tree_(tree), cells_(cells) {
    using simd::Ints;
    Ints place = simd::shift_left<kOrdinalBits>(simd::lane_numbers());
    for (const std::uint16_t cell : cells) {
      const Ints score = query.score(tree.cell(cell));
      best_ = max(best_, simd::shift_left<4 + kOrdinalBits>(score) | place);
      place += Ints(1);
    }
  }

  /// The best of the lanes that have the same remainder by 4.
  void best_of_lanes(std::uint32_t (&indices)[4]) const noexcept {
    std::int32_t entries[4];
    simd::most_of_fours(best_, entries);
    for (std::size_t i = 0; i < 4; ++i) indices[i] = index(entries[i]);
  }

 private:
  static constexpr int kOrdinalBits = 6;
  static_assert(TrellisBeam<kDepth>::kMost <= 1u << kOrdinalBits);

  std::uint32_t index(std::int32_t entry) const noexcept {
    const auto bits = static_cast<std::uint32_t>(entry);
    return tree_.index(cells_[bits % (1u << kOrdinalBits)], bits >> kOrdinalBits & 15u);
  }

  const Tree& tree_;
  const TrellisList<kDepth>& cells_;
  simd::Ints best_ = INT32_MIN;
};

/// Ranks cells for a target and for its opposite, whose nearest vectors are those of a negative scale.
/// \param margin  of branches
template <TrellisCodebook kBook, std::size_t kDepth>
void rank_cells(const TrellisTree<kBook>& tree, const TrellisQuery<kBook.group> (&query)[2],
                std::int32_t margin, TrellisBeam<kDepth> (&cells)[2]) noexcept {
  using simd::Ints;
  using Tree = TrellisTree<kBook>;
  TrellisBeam<kDepth> roots[2];
  for (std::size_t i = 0; i < Tree::kRoots; ++i) {
    const Ints linear = query[0].linear_part(tree.root(i));
    const Ints square = query[0].square_part(tree.root(i));
    roots[0].add(square + linear, i);
    roots[1].add(square - linear, i);
  }
  for (std::size_t sign = 0; sign < 2; ++sign) {
    if constexpr (Tree::kBranchesAreRoots) {
      cells[sign] = roots[sign];
    } else {
      TrellisList<kDepth> branches;
      branches.fill(roots[sign], margin);
      TrellisBeam<kDepth> beam;
      for (const std::uint16_t branch : branches) {
        beam.add(query[sign].score(tree.branch(branch)), branch);
      }
      cells[sign] = beam;
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
