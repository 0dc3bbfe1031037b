#pragma once

// The search for the vector of a codebook that is nearest to a group of weights.
//
// It goes down a tree (tree.h): the means of all branches, of which those are looked into that are
// within a margin of the best; the means of their cells; and all vectors of the cells that are within
// another margin of the best of these. A margin is in units of what a cell's vectors spread. So the
// nearest vector is found nearly always, and one hardly farther in other cases.
//
// Scores are sums of products of bytes, in which an error is not known to the last per cent. So the
// best of each lane, 16 of them, are compared once more, as floats.

#include <cstddef>
#include <cstdint>

#include "codec/trellis/tree.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// How many branches and cells are looked into: margins, as multiples of what the integers' spread
/// makes of a target's weights.
struct TrellisEffort {
  float branches;
  float first_cells;  ///< at the foretold scale, where the sub-block's scale is chosen
  float last_cells;   ///< at the scale that was chosen
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
    each(j, to_floats(sum));
  }
}

/// Which cells are near to a target, of those of the branches near to it.
template <TrellisCodebook kBook>
class TrellisRanking {
 public:
  using Tree = TrellisTree<kBook>;
  using Query = TrellisQuery<kBook.group>;

  /// \param branches  the scores of the tops, 16 * kTopCells
  void look_into(const Tree& tree, const Query& query, const std::int32_t* tops,
                 std::int32_t margin) noexcept {
    using simd::Ints;
    Ints best = Ints::load(tops);
    for (std::size_t i = 1; i < Tree::kTopCells; ++i) best = max(best, Ints::load(tops + 16 * i));
    list_branches(tops, simd::most_of(best) - margin);
    for (; count_ > kMost && margin > 0; margin /= 2) {
      list_branches(tops, simd::most_of(best) - margin / 2);
    }
    if (count_ > kMost) count_ = kMost;  // all the same
    for (std::size_t i = 0; i < count_; ++i) {
      const Ints score = query.score(tree.branch(branch_[i]));
      score.store(score_[i]);
      best = i == 0 ? score : max(best, score);
    }
    best_ = simd::most_of(best);
  }

  /// The best vectors of the cells within a margin, one a lane.
  TrellisIndices search(const Tree& tree, const Query& query, std::int32_t margin) const noexcept {
    using simd::Ints;
    std::uint16_t cells[16 * kMost + 16];
    std::uint16_t* end = cells;
    const Ints below(best_ - margin - 1);
    for (std::size_t i = 0; i < count_; ++i) {
      end = simd::append_numbers(Ints::load(score_[i]) > below, 16u * branch_[i], end);
    }
    Ints best(INT32_MIN);
    Ints place(0);
    for (const std::uint16_t* cell = cells; cell < end; ++cell) {
      const Ints score = query.score(tree.cell(*cell));
      place = select(score > best, Ints(*cell), place);
      best = max(best, score);
    }
    std::int32_t places[16];
    place.store(places);
    std::uint32_t indices[16];
    for (std::size_t lane = 0; lane < 16; ++lane) {
      indices[lane] = tree.index(static_cast<std::size_t>(places[lane]), lane);
    }
    return TrellisIndices::load(indices);
  }

 private:
  static constexpr std::size_t kMost = Tree::kBranches < 96 ? Tree::kBranches : 96;

  void list_branches(const std::int32_t* tops, std::int32_t least) noexcept {
    std::uint16_t* end = branch_;
    for (std::size_t i = 0; i < Tree::kTopCells; ++i) {
      end = simd::append_numbers(simd::Ints::load(tops + 16 * i) > simd::Ints(least - 1),
                                 static_cast<unsigned>(16 * i), end);
    }
    count_ = static_cast<std::size_t>(end - branch_);
  }

  std::uint16_t branch_[Tree::kBranches + 16];
  std::size_t count_;
  std::int32_t best_;
  std::int32_t score_[kMost][16];
};

/// The rankings for a target and for its opposite, whose nearest vectors are those of a negative scale.
template <TrellisCodebook kBook, std::size_t kSigns>
void rank_cells(const TrellisTree<kBook>& tree, const TrellisQuery<kBook.group> (&query)[kSigns],
                std::int32_t margin, TrellisRanking<kBook> (&rankings)[kSigns]) noexcept {
  using simd::Ints;
  using Tree = TrellisTree<kBook>;
  std::int32_t tops[kSigns][16 * Tree::kTopCells];
  for (std::size_t i = 0; i < Tree::kTopCells; ++i) {
    const Ints linear = query[0].linear_part(tree.top(i));
    const Ints square = query[0].square_part(tree.top(i));
    (square + linear).store(&tops[0][16 * i]);
    if constexpr (kSigns > 1) (square - linear).store(&tops[1][16 * i]);
  }
  for (std::size_t sign = 0; sign < kSigns; ++sign) {
    for (std::size_t i = Tree::kBranches; i < 16 * Tree::kTopCells; ++i) {
      tops[sign][i] = INT32_MIN / 2;
    }
    rankings[sign].look_into(tree, query[sign], tops[sign], margin);
  }
}

}  // namespace sluice::inline SLUICE_ISA
