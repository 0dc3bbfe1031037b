#pragma once

// A codebook as a k-d tree, and the search in it for the vector that is nearest to a group of weights.
//
// The vectors are halved again and again at the median of the coordinate that varies most: into
// branches of 256, and cells of 16. A search compares a target with the boxes of the branches, then
// with those of the cells of the branches that are within a margin of the nearest, then with all
// vectors of the cells that are within another margin. So far from the middle, where vectors are few and
// cells are wide, as much is found as anywhere: these targets are the ones whose errors are large.
//
// A target is hardly another one at a scale nearby: the branches are listed once for several.

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "codec/trellis/codebook.h"
#include "codec/trellis/made_once.h"
#include "codec/trellis/near_cells.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// How far a search looks, in units of the codebook's integers.
struct NearMargins {
  float branches;
  float cells;
};

/// \tparam kPartCount  how many codebooks `kBook` is, each a run of indices with a tree of its own
template <TrellisCodebook kBook, std::size_t kPartCount>
class NearTree {
 public:
  static constexpr TrellisCodebook kCodebook = kBook;
  static constexpr std::size_t kParts = kPartCount;
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kCells = kBook.size() / 16;
  using Cell = std::conditional_t<kGroup == 8, NearWideCell<kGroup>, NearCell<kGroup>>;
  using Targets = NearTargets<kGroup>;
  using Query = NearQuery<kGroup>;
  using Finds = NearFinds<kGroup>;

 private:
  static constexpr std::size_t kBranches = kBook.size() / 256;
  static constexpr std::size_t kTops = kBranches / 16 / kParts;  ///< of a part
  static constexpr std::size_t kMost =
      64;  ///< branches of a target; all the same where more are near

 public:
  /// The branches near to each of 16 targets.
  struct Shortlist {
    std::uint16_t branches[16 * kMost + 16 * kTops + 16];
    std::size_t ends[17];  ///< target i's: ends[i] to ends[i + 1]
  };

  /// Made when it is first wanted, in 0.02 s; see MadeOnce.
  static bool prepare() noexcept { return made_.prepare(); }
  static const NearTree& get() noexcept { return made_.get(); }

  /// \param parts  in which the targets' vectors are to be
  void list(const Targets& targets, const std::size_t (&parts)[16], float margin,
            Shortlist& shortlist) const noexcept;
  /// The vectors nearest to targets, of those of branches that were listed.
  void find(const Targets& targets, const Shortlist& shortlist, float margin,
            Finds& finds) const noexcept {
    for (std::size_t first = 0; first < 16; first += kTogether) {
      find_some(targets, first, shortlist, margin, finds);
    }
  }
  /// In which a place is.
  static std::size_t part(std::size_t place) noexcept { return place / (16 * kCells / kParts); }
  TrellisIndices indices(const TrellisIndices& places) const noexcept {
    return indices_at(places, index_);
  }

  const std::array<Cell, kCells>& cells() const noexcept { return cells_; }
  std::uint32_t index(std::size_t cell, std::size_t lane) const noexcept {
    return index_[cell][lane];
  }

 private:
  using Ints = simd::Ints;
  /// Targets that are searched step by step: what one waits for, another does meanwhile. All 16 have
  /// room on 100 KB of stack; of vectors of 4 so few branches are near that little of it is used, and
  /// with 8 together the search would take 5 % longer.
  static constexpr std::size_t kTogether = kGroup == 8 ? 8 : 16;

  friend class MadeOnce<NearTree>;
  struct Room;

  static const NearTree* make() noexcept;
  explicit NearTree(Room& room) noexcept;

  /// Of the targets from `first` on.
  void find_some(const Targets& targets, std::size_t first, const Shortlist& shortlist,
                 float margin, Finds& finds) const noexcept;

  /// One more than the largest distance that is within a margin of the least ones.
  static Ints limits(const std::int32_t (&least)[16], const simd::Floats& margin) noexcept;

  inline static constinit MadeOnce<NearTree> made_;

  std::array<NearBoxes<kGroup>, kTops * kParts> tops_;  ///< boxes of the branches
  std::array<NearBoxes<kGroup>, kBranches> branches_;   ///< boxes of their cells
  std::array<Cell, kCells> cells_;
  std::uint16_t index_[kCells][16];
};

template <TrellisCodebook kBook, std::size_t kParts>
simd::Ints NearTree<kBook, kParts>::limits(const std::int32_t (&least)[16],
                                           const simd::Floats& margin) noexcept {
  constexpr float kLargest = 2147483000.0f;
  const Ints distance = Ints::load(least);
  const simd::Floats root = sqrt(to_floats(distance)) + margin;
  return max(to_ints(min(root * root, kLargest)), distance) + 1;
}

template <TrellisCodebook kBook, std::size_t kParts>
void NearTree<kBook, kParts>::list(const Targets& targets, const std::size_t (&parts)[16],
                                   float margin, Shortlist& shortlist) const noexcept {
  std::int32_t distances[16 * kTops][16];
  std::int32_t least[16];
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const Query query(targets, lane);
    Ints nearest(INT32_MAX);
    for (std::size_t i = 0; i < kTops; ++i) {
      const Ints distance = query.distances(tops_[kTops * parts[lane] + i]);
      distance.store(distances[kTops * lane + i]);
      nearest = min(nearest, distance);
    }
    least[lane] = simd::least_of(nearest);
  }
  const Ints limit = limits(least, targets.norm * margin);
  std::uint16_t* end = shortlist.branches;
  for (std::size_t lane = 0; lane < 16; ++lane) {
    std::uint16_t* const begin = end;
    shortlist.ends[lane] = static_cast<std::size_t>(begin - shortlist.branches);
    const Ints below(limit[lane]);
    for (std::size_t i = 0; i < kTops; ++i) {
      end = simd::append_numbers(below > Ints::load(distances[kTops * lane + i]),
                                 static_cast<unsigned>(16 * (kTops * parts[lane] + i)), end);
    }
    if (end > begin + kMost) end = begin + kMost;
  }
  shortlist.ends[16] = static_cast<std::size_t>(end - shortlist.branches);
}

template <TrellisCodebook kBook, std::size_t kParts>
void NearTree<kBook, kParts>::find_some(const Targets& targets, std::size_t first,
                                        const Shortlist& shortlist, float margin,
                                        Finds& finds) const noexcept {
  const std::size_t last = first + kTogether;
  const std::size_t before = shortlist.ends[first];
  std::int32_t distances[kTogether * kMost][16];
  std::int32_t least[16] = {};
  for (std::size_t lane = first; lane < last; ++lane) {
    const Query query(targets, lane);
    Ints nearest(INT32_MAX);
    for (std::size_t i = shortlist.ends[lane]; i < shortlist.ends[lane + 1]; ++i) {
      const Ints distance = query.distances(branches_[shortlist.branches[i]]);
      distance.store(distances[i - before]);
      nearest = min(nearest, distance);
    }
    least[lane] = simd::least_of(nearest);
  }
  const Ints limit = limits(least, targets.norm * margin);
  std::uint16_t cells[16 * kTogether * kMost + 16];
  std::uint16_t* end = cells;
  std::uint16_t* ends[16];
  for (std::size_t lane = first; lane < last; ++lane) {
    const Ints below(limit[lane]);
    for (std::size_t i = shortlist.ends[lane]; i < shortlist.ends[lane + 1]; ++i) {
      end = simd::append_numbers(below > Ints::load(distances[i - before]),
                                 16u * shortlist.branches[i], end);
    }
    ends[lane] = end;
  }
  const std::uint16_t* cell = cells;
  for (std::size_t lane = first; lane < last; ++lane) {
    const Query query(targets, lane);
    Ints nearest(INT32_MAX);
    Ints place(0);
    for (; cell < ends[lane]; ++cell) {
      const Ints distance = query.distances(cells_[*cell]);
      place = select(distance < nearest, Ints(*cell), place);
      nearest = min(nearest, distance);
    }
    const std::size_t best = simd::place_of_least(nearest);
    finds.set(lane, static_cast<std::uint32_t>(16 * static_cast<std::size_t>(place[best]) + best),
              cells_.data());
  }
}

/// Searches in a tree, at scales that are near to one another.
template <typename Tree>
class NearTreeSearch {
 public:
  using Effort = NearMargins;
  static constexpr std::size_t kFinds = 1;
  using Targets = typename Tree::Targets;
  using Finds = typename Tree::Finds;
  struct Aim {};

  /// \param targets  at the scale in the middle
  /// \param parts    in which their vectors are to be
  NearTreeSearch(const Targets& targets, const std::size_t (&parts)[16],
                 const Effort& margins) noexcept
      : margin_(margins.cells) {
    tree_.list(targets, parts, margins.branches, shortlist_);
  }
  Aim aim(const simd::Floats (&)[Tree::kGroup], const simd::Floats&,
          const Targets&) const noexcept {
    return {};
  }
  void find(const Targets& targets, const Aim&, Finds (&finds)[kFinds]) const noexcept {
    tree_.find(targets, shortlist_, margin_, finds[0]);
  }
  static TrellisIndices indices(const TrellisIndices& places) noexcept {
    return Tree::get().indices(places);
  }
  static std::size_t part(std::size_t place) noexcept { return Tree::part(place); }

 private:
  const Tree& tree_ = Tree::get();
  float margin_;
  typename Tree::Shortlist shortlist_;
};

using Iq3KtTree = NearTree<kIq3KtBook, 1>;
using Iq4KtTree = NearTree<kIq4KtBook, 2>;

}  // namespace sluice::inline SLUICE_ISA
