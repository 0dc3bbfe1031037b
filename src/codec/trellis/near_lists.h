#pragma once

// For a codebook of vectors of 4: those that are next to a place, for all places. A search that looks at
// no others misses the nearest now and then, and costs a fourth of one in a tree (near_tree.h).
//
// Each coordinate is cut into ranges that hold as many vectors each, so that a range of each, a region,
// holds 0.9 vectors on average, wherever it is. The 16 that are nearest to it are one cell.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/trellis/made_once.h"
#include "codec/trellis/near_cells.h"
#include "codec/trellis/tree.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// \tparam kParts  how many codebooks `kBook` is, each a run of indices with lists of its own
template <TrellisCodebook kBook, std::size_t kParts>
class NearLists {
 public:
  static constexpr std::size_t kGroup = kBook.group;
  static_assert(kGroup == 4);
  using Targets = NearTargets<kGroup>;

  /// Made when it is first wanted, in 0.2 s and 7 MB; see MadeOnce.
  static bool prepare() noexcept { return made_.prepare(); }
  static const NearLists& get() noexcept { return made_.get(); }

  /// The indices of vectors near to targets.
  void find(const Targets& targets, std::size_t part, std::uint32_t (&indices)[16]) const noexcept {
    using simd::Ints;
    std::uint32_t regions[16];
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const auto even = static_cast<std::uint32_t>(targets.target[0][lane]);
      const auto odd = static_cast<std::uint32_t>(targets.target[1][lane]);
      regions[lane] = static_cast<std::uint32_t>(part * kRegions) + place_[0][even >> 8 & 255] +
                      place_[1][odd >> 8 & 255] + place_[2][even >> 24] + place_[3][odd >> 24];
      // They are in the third cache, which takes longer than all that is done for a lane.
      __builtin_prefetch(&cells_[regions[lane]]);
      __builtin_prefetch(&index_[regions[lane]]);
    }
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const NearQuery<kGroup> query(targets, lane);
      // A distance's low bits are below what it is known to.
      const Ints distances = query.distances(cells_[regions[lane]]) & Ints(-16);
      const std::int32_t least = simd::least_of(distances | simd::lane_numbers());
      indices[lane] = index_[regions[lane]][least & 15];
    }
  }

 private:
  static constexpr std::size_t kPart = kBook.size() / kParts;
  static constexpr std::size_t kRanges = 14;  ///< of a coordinate
  static constexpr std::size_t kRegions = kRanges * kRanges * kRanges * kRanges;

  friend class MadeOnce<NearLists>;
  struct Room;

  static const NearLists* make() noexcept;
  explicit NearLists(Room& room) noexcept;

  /// Writes the cell of a region.
  /// \param ranges  of its coordinates
  void fill(Room& room, std::size_t part, const std::size_t (&ranges)[kGroup]) noexcept;

  inline static constinit MadeOnce<NearLists> made_;

  /// What a coordinate adds to a region's number, by its integer as a byte.
  std::uint32_t place_[kGroup][256];
  std::array<NearCell<kGroup>, kRegions * kParts> cells_;
  std::uint16_t index_[kRegions * kParts][16];
};

/// What NearTreeTrials is for a tree.
template <typename Lists>
class NearListTrials {
 public:
  struct Effort {};
  using Targets = typename Lists::Targets;

  NearListTrials(const Targets&, std::size_t part, const Effort&) noexcept : part_(part) {}
  void find(const Targets& targets, std::uint32_t (&indices)[16]) const noexcept {
    lists_.find(targets, part_, indices);
  }

 private:
  const Lists& lists_ = Lists::get();
  std::size_t part_;
};

using Iq4KtLists = NearLists<kIq4KtBook, 2>;

}  // namespace sluice::inline SLUICE_ISA
