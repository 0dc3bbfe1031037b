#pragma once

// The cells of a tree (near_tree.h) by the region of a target (regions.h). Few are enough, and no boxes are compared
// to find them; but what they are does not depend on weights.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "codec/trellis/made_once.h"
#include "codec/trellis/near_cells.h"
#include "codec/trellis/near_tree.h"
#include "codec/trellis/regions.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// \tparam Kind  has
///   Tree     a NearTree, of Tree::kParts parts
///   kMost    cells of a list
///   kRanges  how coordinates are cut
template <typename Kind>
class NearRegions {
 public:
  using Tree = typename Kind::Tree;
  static constexpr std::size_t kGroup = Tree::kGroup;
  using Targets = NearTargets<kGroup>;
  using Finds = NearFinds<kGroup>;

  /// Made when it is first wanted, with its tree, in 0.3 s; see MadeOnce.
  static bool prepare() noexcept { return Tree::prepare() && made_.prepare(); }
  static const NearRegions& get() noexcept { return made_.get(); }

  /// The lists of some targets.
  struct Aim {
    const std::uint16_t* near[16];
  };
  /// Asks for lists; see find().
  /// \param parts  in which the targets' vectors are to be
  /// \param cells  how many of a list are wanted
  Aim aim(const simd::Floats (&x)[kGroup], const simd::Floats& scale,
          const std::size_t (&parts)[16], std::size_t cells) const noexcept {
    const TargetRegions regions(x, scale, Kind::kRanges);
    Aim aim;
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const Regions& lists = regions_[Tree::kParts == 1 ? 0 : parts[lane]];
      aim.near[lane] = lists.near(regions[lane]);
      lists.prefetch(regions[lane], cells);
    }
    return aim;
  }
  /// Vectors near to targets, of so many cells for each.
  void find(const Targets& targets, const Aim& aim, std::size_t cells, Finds& finds) const noexcept;

 private:
  static constexpr std::size_t kCells = Tree::kCells / Tree::kParts;
  using Regions = TrellisRegions<kCells, Kind::kMost, kGroup, std::size(Kind::kRanges.borders) + 1>;

  friend class MadeOnce<NearRegions>;
  struct Room;

  static const NearRegions* make() noexcept;
  explicit NearRegions(Room& room) noexcept;

  inline static constinit MadeOnce<NearRegions> made_;

  const Tree& tree_ = Tree::get();
  Regions regions_[Tree::kParts];
};

/// Not part of its callers, which have so much in registers that the loop would have nothing in them.
template <typename Kind>
[[gnu::noinline]] void NearRegions<Kind>::find(const Targets& targets, const Aim& aim,
                                               std::size_t cells, Finds& finds) const noexcept {
  using simd::Ints;
  // Numbers travel in a distance's low bits, which are below what it is known to: a cell's place in its list, and
  // then a vector's lane.
  constexpr int kLaneBits = 4;
  constexpr std::int32_t kPlaces = 64;
  static_assert(Regions::kMost <= kPlaces);
  const auto& all = tree_.cells();
  Ints nearest[16];
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const NearQuery<kGroup> query(targets, lane);
    const std::uint16_t* const near = aim.near[lane];
    Ints least(INT32_MAX);
    Ints place(0);
    for (std::size_t i = 0; i < cells; ++i) {
      least = min(least, (query.distances(all[near[i]]) & Ints(-kPlaces)) | place);
      place += Ints(1);
    }
    nearest[lane] = (least & Ints(-kPlaces << kLaneBits)) |
                    simd::shift_left<kLaneBits>(least & Ints(kPlaces - 1)) | simd::lane_numbers();
  }
  const Ints least = simd::least_of_each(nearest);
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const auto bits = static_cast<std::uint32_t>(least[lane]);
    const std::size_t cell = aim.near[lane][bits >> kLaneBits & (kPlaces - 1)];
    finds.set(lane, static_cast<std::uint32_t>(16 * cell + bits % 16), all.data());
  }
}

/// What NearTreeSearch is for a tree. Lists are in the third cache: they are asked for before other targets
/// are searched.
template <typename Regions>
class NearRegionSearch {
 public:
  using Effort = std::size_t;  ///< cells
  static constexpr std::size_t kFinds = 1;
  using Targets = typename Regions::Targets;
  using Finds = typename Regions::Finds;
  using Aim = typename Regions::Aim;

  NearRegionSearch(const Targets&, const std::size_t (&parts)[16], Effort cells) noexcept
      : parts_(parts), cells_(cells) {}
  Aim aim(const simd::Floats (&x)[Regions::kGroup], const simd::Floats& scale,
          const Targets&) const noexcept {
    return regions_.aim(x, scale, parts_, cells_);
  }
  void find(const Targets& targets, const Aim& aim, Finds (&finds)[kFinds]) const noexcept {
    regions_.find(targets, aim, cells_, finds[0]);
  }
  static TrellisIndices indices(const TrellisIndices& places) noexcept {
    return Regions::Tree::get().indices(places);
  }
  static std::size_t part(std::size_t place) noexcept { return Regions::Tree::part(place); }

 private:
  const Regions& regions_ = Regions::get();
  const std::size_t (&parts_)[16];
  Effort cells_;
};

struct Iq3KtNear {
  using Tree = Iq3KtTree;
  static constexpr std::size_t kMost = 48;
  /// Wider than quarters of the integers' magnitudes (11.8, 25, 42.6): the largest ones have the largest errors.
  static constexpr TrellisRanges kRanges = {{14, 30, 52}, 9};
};
using Iq3KtRegions = NearRegions<Iq3KtNear>;

struct Iq4KtNear {
  using Tree = Iq4KtTree;
  static constexpr std::size_t kMost = 16;
  /// With about as many integers each.
  static constexpr RegionRanges<14> kRanges = {
      {-56.3f, -42.1f, -31.25f, -22.1f, -14, -6.7f, 0, 6.7f, 14, 22.1f, 31.25f, 42.1f, 56.3f}, 4};
};
using Iq4KtRegions = NearRegions<Iq4KtNear>;

}  // namespace sluice::inline SLUICE_ISA
