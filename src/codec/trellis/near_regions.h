#pragma once

// For a codebook of magnitudes of 8: the cells of its tree (near_tree.h) by the region of a target (regions.h).
// Few are enough, and no boxes are compared to find them; but what they are does not depend on weights.

#include <cstddef>
#include <cstdint>

#include "codec/trellis/made_once.h"
#include "codec/trellis/near_cells.h"
#include "codec/trellis/near_tree.h"
#include "codec/trellis/regions.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

template <TrellisCodebook kBook>
class NearRegions {
 public:
  static constexpr std::size_t kGroup = kBook.group;
  static_assert(kBook.magnitudes);
  using Tree = NearTree<kBook, 1>;
  using Targets = NearTargets<kGroup>;
  using Finds = NearFinds<kGroup>;
  /// Wider than quarters of the integers' magnitudes (11.8, 25, 42.6): the largest ones have the largest errors.
  static constexpr TrellisRanges kRanges = {{14, 30, 52}, 9};

  /// Made when it is first wanted, with its tree, in 0.3 s and 6 MB; see MadeOnce.
  static bool prepare() noexcept { return Tree::prepare() && made_.prepare(); }
  static const NearRegions& get() noexcept { return made_.get(); }

  /// Asks for lists; see find().
  /// \param cells  how many of a list are wanted
  void prefetch(const TargetRegions& regions, std::size_t cells) const noexcept {
    for (std::size_t lane = 0; lane < 16; ++lane) regions_.prefetch(regions[lane], cells);
  }
  /// Vectors near to targets, of so many cells for each.
  void find(const Targets& targets, const TargetRegions& regions, std::size_t cells,
            Finds& finds) const noexcept;

 private:
  using Regions = TrellisRegions<Tree::kCells, 48>;

  friend class MadeOnce<NearRegions>;
  struct Room;

  static const NearRegions* make() noexcept;
  explicit NearRegions(Room& room) noexcept;

  inline static constinit MadeOnce<NearRegions> made_;

  const Tree& tree_ = Tree::get();
  Regions regions_;
};

/// Not part of its callers, which have so much in registers that the loop would have nothing in them.
template <TrellisCodebook kBook>
[[gnu::noinline]] void NearRegions<kBook>::find(const Targets& targets,
                                                const TargetRegions& regions, std::size_t cells,
                                                Finds& finds) const noexcept {
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
    const std::uint16_t* const near = regions_.near(regions[lane]);
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
    const std::size_t cell = regions_.near(regions[lane])[bits >> kLaneBits & (kPlaces - 1)];
    finds.set(lane, static_cast<std::uint32_t>(16 * cell + bits % 16), all.data());
  }
}

/// What NearTreeSearch is for a tree. Lists are in the third cache: they are asked for before other targets
/// are searched.
template <typename Regions>
class NearRegionSearch {
 public:
  using Effort = std::size_t;  ///< cells
  using Targets = typename Regions::Targets;
  using Finds = typename Regions::Finds;
  using Aim = TargetRegions;

  NearRegionSearch(const Targets&, const std::size_t (&)[16], Effort cells) noexcept
      : cells_(cells) {}
  Aim aim(const simd::Floats (&x)[Regions::kGroup], const simd::Floats& scale, const Targets&,
          std::size_t) const noexcept {
    const Aim regions(x, scale, Regions::kRanges);
    regions_.prefetch(regions, cells_);
    return regions;
  }
  void find(const Targets& targets, const Aim& aim, Finds& finds) const noexcept {
    regions_.find(targets, aim, cells_, finds);
  }
  TrellisIndices indices(const TrellisIndices& places) const noexcept {
    return Regions::Tree::get().indices(places);
  }

 private:
  const Regions& regions_ = Regions::get();
  Effort cells_;
};

using Iq3KtRegions = NearRegions<kIq3KtBook>;

}  // namespace sluice::inline SLUICE_ISA
