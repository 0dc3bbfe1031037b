#pragma once

// The encoder of a tile of IQ1_KT or IQ2_KT: four sub-blocks, whose codes are a multiple of the row's scale and
// four vectors each.
//
// 1. The vectors that are near at either sign of the foretold scale are priced at several multiples (prices.h).
//    Each is a codebook of its own: the best of several takes 10 % off the error.
// 2. At the multiple with the least price the groups are searched, farther, and at others that cost hardly
//    more: prices are sums of products of bytes. Where these say little, all multiples are searched.

#include <cstddef>
#include <cstdint>

#include "codec/i_quants/levels.h"
#include "codec/trellis/candidates.h"
#include "codec/trellis/near.h"
#include "codec/trellis/prices.h"
#include "codec/trellis/row.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"

namespace sluice::inline SLUICE_ISA {

/// Lists of cells are far away: each step asks for those of the next, and two tiles take their steps by turns.
template <typename Type>
class TrellisTileEncoder {
 public:
  static constexpr TrellisCodebook kBook = Type::kBook;
  static constexpr std::size_t kGroup = kBook.group;
  using Floats = simd::Floats;
  using Tile = TrellisTile<kGroup>;

  /// What a sub-block is encoded as, in each of its lanes.
  struct Found {
    Floats error;  ///< less that of zeros
    Floats code;   ///< the level's number
    Floats multiple;
    TrellisIndices index;  ///< of a lane's group

    void take_better(const Found& other) noexcept {
      const simd::FloatMask better = other.error < error;
      error = select(better, other.error, error);
      code = select(better, other.code, code);
      multiple = select(better, other.multiple, multiple);
      index = select_indices(better, other.index, index);
    }
  };

  /// \param first  of the tile's weights in the row
  /// \param means  its super-block's
  /// \param scale  the row's
  TrellisTileEncoder(const TrellisRow& row, std::size_t first, const TrellisMeans& means,
                     const TrellisEffort& effort, float scale) noexcept
      : effort_(effort),
        scale_(scale),
        tile_(row.template tile<kGroup>(first, means)),
        foretold_(max(tile_.likely_scale(Type::kLikelyScale), Floats(scale))),
        multiples_(foretold_ / Floats(scale)),
        near_{{cells_, tile_.x, foretold_, effort.first_cells},
              {cells_, tile_.x, -foretold_, effort.first_cells}},
        prices_(tile_, multiples_, scale) {}

  const Tile& tile() const noexcept { return tile_; }

  /// Looks what the multiples cost, and asks for what is to be searched.
  void price() noexcept {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      for (std::size_t sign = 0; sign < 2; ++sign) {
        prices_.look_at(cells_, lane, sign, near_[sign][lane], near_[sign].count(lane));
      }
    }
    prices_.add_up();
    energy_ = tile_.energy();
    const Cheapest cheapest = prices_.take_cheapest();
    const Floats enough = cheapest.price + max(energy_ + cheapest.price, 0) * kHardlyMore;
    plan(cheapest, Floats(1) > 0);
    while (searches_ < effort_.scales) {
      const Cheapest next = prices_.take_cheapest();
      const simd::FloatMask wanted = next.price <= enough;
      if (to_bits(wanted) == 0) break;
      plan(next, wanted);
    }
  }

  /// After price().
  Found find() const noexcept {
    Found best = search_at(search_[0]);
    for (std::size_t i = 1; i < searches_; ++i) best.take_better(search_at(search_[i]));
    const simd::FloatMask doubtful =
        max(tile_.one_sided(kNearlyAll), energy_ + best.error - energy_ * kMuch) > 0;
    if (to_bits(doubtful) != 0) {
      for (std::size_t code = 0; code < kIq4Levels.size(); ++code) {
        const Cheapest any = {0, static_cast<float>(code), kIq4Levels[code]};
        best.take_better(search_at(Search(*this, any, doubtful)));
      }
    }
    return best;
  }

 private:
  using Cells = TrellisCells<kBook>;
  using Prices = TrellisPrices<kBook>;
  using Cheapest = typename Prices::Cheapest;

  static constexpr float kFar = 0x1p100f;  ///< an error that is none
  /// A price that is higher by this share of a sub-block's error is hardly more.
  static constexpr float kHardlyMore = 0.05f;
  /// More than this share of a sub-block's weights as error is seldom all that can be had.
  static constexpr float kMuch = 0.25f;
  /// Where all other weights of a group are less than this share of one, bytes say nothing of them.
  static constexpr float kNearlyAll = 0.1f;

  /// A search of the groups at scales.
  struct Search {
    Cheapest at;
    simd::FloatMask wanted;  ///< in other lanes nothing is found
    TrellisNear<kBook> near;

    Search() noexcept = default;  ///< none yet
    Search(const TrellisTileEncoder& encoder, const Cheapest& multiples,
           const simd::FloatMask& lanes) noexcept
        : at(multiples),
          wanted(lanes),
          near(encoder.cells_, encoder.tile_.x, multiples.multiple * encoder.scale_,
               encoder.effort_.last_cells) {}
  };

  void plan(const Cheapest& multiples, const simd::FloatMask& wanted) noexcept {
    search_[searches_++] = Search(*this, multiples, wanted);
  }

  Found search_at(const Search& search) const noexcept {
    using Finds = TrellisFinds<kBook>;
    const Floats scale = search.at.multiple * scale_;
    const TrellisQueries<kGroup> queries(tile_, scale);
    const unsigned lanes = to_bits(search.wanted);
    TrellisCandidates<kBook> found;
    for (std::size_t lane = 0; lane < 16; lane += Finds::kTogether) {
      if ((lanes >> lane & 1) == 0) continue;
      const Finds finds(cells_, queries, search.near, lane);
      for (std::size_t k = 0; k < Finds::kTogether; ++k) {
        found.set(lane + k, finds.best_of_fours(k));
      }
    }
    const auto best = found.best(tile_, scale);
    const Floats error = Tile::sum_of_block(best.error);
    return {select(search.wanted, error, kFar), search.at.code, search.at.multiple, best.index};
  }

  const Cells& cells_ = Cells::get();
  const TrellisEffort& effort_;
  float scale_;
  Tile tile_;
  Floats foretold_;
  TrellisMultiples multiples_;
  TrellisNear<kBook> near_[2];  ///< at the foretold scale and at its opposite
  Prices prices_;
  Floats energy_;
  Search search_[TrellisEffort::kMostScales];
  std::size_t searches_ = 0;
};

}  // namespace sluice::inline SLUICE_ISA
