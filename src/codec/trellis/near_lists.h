#pragma once

// For a codebook of vectors of 4: those that are next to a place, for all places. A search that looks at
// no others misses the nearest now and then, and costs a fraction of one in a tree (near_tree.h).
//
// Each coordinate is cut into ranges that hold about as many vectors each, so that a range of each, a region,
// holds 1.6 vectors on average, wherever it is. The 32 that are nearest to it are two cells.

#include <cstddef>
#include <cstdint>

#include "codec/trellis/codebook.h"
#include "codec/trellis/made_once.h"
#include "codec/trellis/near_cells.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// \tparam kPartCount  how many codebooks `kBook` is, each a run of indices with lists of its own
template <TrellisCodebook kBook, std::size_t kPartCount>
class NearLists {
 public:
  static constexpr std::size_t kParts = kPartCount;
  static constexpr std::size_t kGroup = kBook.group;
  static_assert(kGroup == 4);
  using Targets = NearTargets<kGroup>;
  using Finds = NearFinds<kGroup>;

  /// Made when it is first wanted, in 0.2 s and 8 MB; see MadeOnce.
  static bool prepare() noexcept { return made_.prepare(); }
  static const NearLists& get() noexcept { return made_.get(); }

  /// The cells of some targets.
  struct Aim {
    std::int32_t regions[16];
  };
  /// Cells are in the third cache, which takes longer than all that is done for a target: they are asked
  /// for before other targets are searched.
  Aim aim(const Targets& targets) const noexcept {
    Aim aim;
    region(targets).store(aim.regions);
    // As in NearFinds.
#pragma GCC unroll 4
    for (const std::int32_t region : aim.regions) {
      for (const auto& list : cells_[static_cast<std::size_t>(region)]) {
        for (const Cell& cell : list) __builtin_prefetch(&cell);
      }
    }
    return aim;
  }
  /// Vectors near to targets, of each part.
  void find(const Targets& targets, const Aim& aim, Finds (&finds)[kParts]) const noexcept;
  TrellisIndices indices(const TrellisIndices& places) const noexcept {
    return indices_at(places, index_);
  }
  /// In which a place is.
  static std::size_t part(std::size_t place) noexcept {
    return place / kVectors % kParts;
  }

 private:
  static constexpr std::size_t kPart = kBook.size() / kParts;
  static constexpr int kHalf = 6;  ///< ranges of a coordinate's positive numbers
  static constexpr std::size_t kRanges = 2 * kHalf;
  static constexpr std::size_t kRegions = kRanges * kRanges * kRanges * kRanges;

  using Cell = NearCell<kGroup>;
  static constexpr std::size_t kCells = 2;  ///< of a list
  static constexpr std::size_t kVectors = 16 * kCells;

  friend class MadeOnce<NearLists>;
  struct Room;

  static const NearLists* make() noexcept;
  explicit NearLists(Room& room) noexcept;

  /// Writes the list of a region.
  /// \param ranges  of its coordinates
  void fill(Room& room, std::size_t part, const std::size_t (&ranges)[kGroup]) noexcept;

  /// The ranges of numbers in 256ths. A range's share of a straight slope from the middle to both ends is
  /// about its share of the integers, which are normal.
  static simd::Shorts range(const simd::Shorts& number) noexcept {
    using simd::Shorts;
    constexpr std::int16_t kEnd = 23170;  // 256 sqrt(8192)
    const Shorts to_end = Shorts(kEnd) - min(max(number, -number), Shorts(kEnd));
    const Shorts from_middle = multiply_high(
        simd::shift_left<2>(Shorts(8191) - multiply_high(to_end, to_end)), Shorts(2 * kHalf));
    return (from_middle ^ simd::shift_right<15>(number)) + Shorts(kHalf);
  }
  /// Their regions' numbers. Words is as NearTargets.
  template <typename Words>
  static simd::Ints region(const Words& words) noexcept {
    using simd::Ints;
    using simd::Shorts;
    constexpr std::int32_t kSquare = kRanges * kRanges << 16;
    const auto of = [&](std::size_t k) noexcept {
      return range(simd::bits_of<Shorts>(Ints::load(words.target[k])));
    };
    const Ints even = accumulate_products(Ints(0), of(0), simd::bits_of<Shorts>(Ints(kSquare + 1)));
    const Ints odd = accumulate_products(Ints(0), of(1), simd::bits_of<Shorts>(Ints(kSquare + 1)));
    return even + odd * Ints(static_cast<std::int32_t>(kRanges));
  }

  inline static constinit MadeOnce<NearLists> made_;

  Cell cells_[kRegions][kParts][kCells];  ///< those of all parts are wanted together
  std::uint16_t index_[kRegions * kParts * kCells][16];
};

/// Not part of its callers, which have so much in registers that the loop would have nothing in them.
template <TrellisCodebook kBook, std::size_t kParts>
[[gnu::noinline]] void NearLists<kBook, kParts>::find(const Targets& targets, const Aim& aim,
                                                      Finds (&finds)[kParts]) const noexcept {
  using simd::Ints;
  Ints nearest[kParts][16];
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const NearQuery<kGroup> query(targets, lane);
    const auto& cells = cells_[static_cast<std::size_t>(aim.regions[lane])];
    for (std::size_t part = 0; part < kParts; ++part) {
      // A distance's low bits are below what it is known to.
      const auto numbered = [&](std::size_t cell) noexcept {
        const Ints first(static_cast<std::int32_t>(16 * cell));
        return (query.distances(cells[part][cell]) & Ints(-std::int32_t{kVectors})) |
               (simd::lane_numbers() + first);
      };
      nearest[part][lane] = min(numbered(0), numbered(1));
    }
  }
  for (std::size_t part = 0; part < kParts; ++part) {
    const Ints least = simd::least_of_each(nearest[part]) & Ints(std::int32_t{kVectors - 1});
    const Ints lists =
        Ints::load(aim.regions) * Ints(kParts) + Ints(static_cast<std::int32_t>(part));
    const Ints places = lists * Ints(std::int32_t{kVectors}) + least;
    finds[part].set(simd::bits_of<TrellisIndices>(places), cells_[0][0]);
  }
}

/// What NearTreeSearch is for a tree.
template <typename Lists>
class NearListSearch {
 public:
  struct Effort {};
  static constexpr std::size_t kFinds = Lists::kParts;
  using Targets = typename Lists::Targets;
  using Finds = typename Lists::Finds;
  using Aim = typename Lists::Aim;

  NearListSearch(const Targets&, const std::size_t (&)[16], const Effort&) noexcept {}
  Aim aim(const simd::Floats (&)[Lists::kGroup], const simd::Floats&,
          const Targets& targets) const noexcept {
    return lists_.aim(targets);
  }
  void find(const Targets& targets, const Aim& aim, Finds (&finds)[kFinds]) const noexcept {
    lists_.find(targets, aim, finds);
  }
  static TrellisIndices indices(const TrellisIndices& places) noexcept {
    return Lists::get().indices(places);
  }
  /// In which a place is.
  static std::size_t part(std::size_t place) noexcept { return Lists::part(place); }

 private:
  const Lists& lists_ = Lists::get();
};

using Iq4KtLists = NearLists<kIq4KtBook, 2>;

}  // namespace sluice::inline SLUICE_ISA
