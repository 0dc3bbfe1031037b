#pragma once

// The encoder of IQ1_KT and IQ2_KT: a row has a scale, a sub-block of 32 weights one of 16 multiples of
// it, of either sign, and each of its groups is a vector of a codebook.
//
// 1. The scale at which each sub-block is likely to come out best is foretold from its moments, and a
//    row's scale is chosen that has multiples near to these.
// 2. For a sub-block the vectors that are near at either sign of the foretold scale are priced at several
//    multiples (prices.h). Each is a codebook of its own: the best of
//    several takes 10 % off the error.
// 3. At the multiple with the least price the groups are searched, farther, and at others that cost hardly
//    more: prices are sums of products of bytes. Where these say little, all multiples are searched.
// 4. The row's scale is fitted by least squares, and corrected for its shrinkage.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "codec/i_quants/levels.h"
#include "codec/trellis/candidates.h"
#include "codec/trellis/near.h"
#include "codec/trellis/prices.h"
#include "codec/trellis/row.h"
#include "codec/trellis/scales.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {
namespace trellis_encoder {

using simd::Floats;

/// A super-block's codes.
template <typename Type>
struct Codes {
  std::uint8_t scale[8];
  std::uint16_t index[256 / Type::kBook.group];
};

template <typename Type>
class RowEncoder {
 public:
  static constexpr TrellisCodebook kBook = Type::kBook;
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kSuperBlock = TrellisRow::kSuperBlock;
  using Tile = TrellisTile<kGroup>;
  using Queries = TrellisQueries<kGroup>;
  using Prices = TrellisPrices<kBook>;
  using Cells = TrellisCells<kBook>;
  static constexpr std::size_t kShared = Tile::kShared;
  static constexpr std::size_t kBlocks = 16 / kShared;
  static constexpr float kFar = 0x1p100f;  ///< an error that is none
  static constexpr TrellisMeans kMeans = {.square = 120, .importance = 0.1f};
  /// A price that is higher by this share of a sub-block's error is hardly more.
  static constexpr float kHardlyMore = 0.07f;
  /// More than this share of a sub-block's weights as error is seldom all that can be had.
  static constexpr float kMuch = 0.25f;
  /// Where all other weights of a group are less than this share of one, bytes say nothing of them.
  static constexpr float kNearlyAll = 0.1f;

  RowEncoder(const TrellisRow& row, const TrellisEffort& effort) noexcept
      : effort_(effort), row_(row) {}

  /// Writes a row.
  void encode(float bias_correction, std::byte* out) noexcept {
    using Block = typename Type::Block;
    std::byte* const scale_place = out;
    out += sizeof(float);
    scale_ = row_.empty() ? 0.0f : find_scale();
    for (std::size_t i = 0; i < row_.elements(); i += kSuperBlock, out += sizeof(Block)) {
      Block block{};
      if (scale_ > 0) {
        Codes<Type> codes;
        encode_super_block(i, codes);
        for (std::size_t b = 0; b < std::size(codes.scale); ++b) block.set_scale(b, codes.scale[b]);
        for (std::size_t g = 0; g < std::size(codes.index); ++g) block.set_index(g, codes.index[g]);
      }
      std::memcpy(out, &block, sizeof block);
    }
    const float scale =
        scale_ > 0 ? row_.fitted_scale(bias_correction, Block::kRuntimeFactor) : 0.0f;
    std::memcpy(scale_place, &scale, sizeof scale);
  }

 private:
  float find_scale() const noexcept {
    // No value is 2 or more.
    RowScaleTrials trials(2 * Type::kLikelyScale);
    for (std::size_t i = 0; i < row_.elements(); i += kSuperBlock) {
      const TrellisMeans of_super_block = row_.means(i, kMeans);
      for (std::size_t first = i; first < i + kSuperBlock; first += Tile::kWeights) {
        Tile tile;
        row_.load(tile, first, of_super_block);
        const Floats wish = tile.likely_scale(Type::kLikelyScale);
        const Floats energy = tile.energy();
        for (std::size_t lane = 0; lane < 16; lane += kShared) {
          trials.add(wish[lane], energy[lane]);
        }
      }
    }
    return trials.best();
  }

  void encode_super_block(std::size_t first, Codes<Type>& codes) noexcept {
    const TrellisMeans of_super_block = row_.means(first, kMeans);
    for (std::size_t i = 0; i < kSuperBlock; i += Tile::kWeights) {
      Tile tile;
      row_.load(tile, first + i, of_super_block);
      encode_tile(tile, codes.scale + i / 32, codes.index + i / kGroup);
    }
  }

  /// Codes for a tile.
  struct Found {
    Floats error;  ///< of a sub-block, in each of its lanes, less that of zeros
    Floats code;   ///< the level's number
    Floats multiple;
    TrellisIndices index;

    void take_better(const Found& other) noexcept {
      const simd::FloatMask better = other.error < error;
      error = select(better, other.error, error);
      code = select(better, other.code, code);
      multiple = select(better, other.multiple, multiple);
      index = simd::bits_of<TrellisIndices>(
          select(better, simd::bits_of<simd::Ints>(other.index), simd::bits_of<simd::Ints>(index)));
    }
  };

  void encode_tile(const Tile& tile, std::uint8_t* scales, std::uint16_t* indices) noexcept {
    const Floats foretold = max(tile.likely_scale(Type::kLikelyScale), Floats(scale_));
    const TrellisMultiples multiples(foretold / Floats(scale_));
    TrellisNear<kBook> near[2] = {{cells_, tile.x, foretold, effort_.first_cells},
                                  {cells_, tile.x, -foretold, effort_.first_cells}};
    Prices prices(tile, multiples, scale_);
    for (std::size_t lane = 0; lane < 16; ++lane) {
      for (std::size_t sign = 0; sign < 2; ++sign) {
        prices.look_at(cells_, lane, sign, near[sign][lane], near[sign].count(lane));
      }
    }
    prices.add_up();
    typename Prices::Cheapest cheapest = prices.take_cheapest();
    Found best = search_at(tile, cheapest, Floats(1) > 0);
    const Floats energy = tile.energy();
    const Floats enough = cheapest.price + max(energy + cheapest.price, 0) * kHardlyMore;
    for (std::size_t t = 1; t < effort_.scales; ++t) {
      cheapest = prices.take_cheapest();
      const simd::FloatMask wanted = cheapest.price <= enough;
      if (to_bits(wanted) == 0) break;
      best.take_better(search_at(tile, cheapest, wanted));
    }
    const simd::FloatMask doubtful =
        max(tile.one_sided(kNearlyAll), energy + best.error - energy * kMuch) > 0;
    if (to_bits(doubtful) != 0) {
      for (std::size_t code = 0; code < kIq4Levels.size(); ++code) {
        const typename Prices::Cheapest any = {0, static_cast<float>(code), kIq4Levels[code]};
        best.take_better(search_at(tile, any, doubtful));
      }
    }
    for (std::size_t b = 0; b < kBlocks; ++b) {
      scales[b] = static_cast<std::uint8_t>(best.code[b * kShared]);
    }
    for (std::size_t lane = 0; lane < 16; ++lane) {
      indices[lane] = static_cast<std::uint16_t>(best.index[lane]);
    }
    row_.template add<kBook>(tile, best.multiple, best.index);
  }

  /// Searches the groups of a tile at scales.
  /// \param wanted  in other lanes nothing is found
  Found search_at(const Tile& tile, const typename Prices::Cheapest& at,
                  const simd::FloatMask& wanted) const noexcept {
    const Floats scale = at.multiple * scale_;
    TrellisNear<kBook> near(cells_, tile.x, scale, effort_.last_cells);
    const Queries queries(tile, scale);
    const unsigned lanes = to_bits(wanted);
    float multiples[16];
    at.multiple.store(multiples);
    TrellisCandidates<kBook> found;
    for (std::size_t lane = 0; lane < 16; ++lane) {
      if ((lanes >> lane & 1) == 0) continue;
      TrellisFinds<kBook>(cells_, queries.query(lane), near[lane], near.count(lane))
          .best_of_fours(found.of_group(lane));
    }
    found.fit(tile);
    std::uint32_t best[16];
    float errors[16];
    for (std::size_t lane = 0; lane < 16; ++lane) {
      found.choose(lane, scale_ * multiples[lane], best[lane], errors[lane]);
    }
    const Floats error = Tile::sum_of_block(Floats::load(errors));
    return {select(wanted, error, kFar), at.code, at.multiple, TrellisIndices::load(best)};
  }

  const Cells& cells_ = Cells::get();
  TrellisEffort effort_;
  TrellisRow row_;
  float scale_ = 0;
};

}  // namespace trellis_encoder

/// Encodes rows of a trellis type. Type has
///   Block           of 256 weights, with set_scale(sub-block, level) and set_index(group, index)
///   kBook           the codebook
///   kLikelyScale    what a sub-block's (weighted) fourth moment's root is multiplied by
///   kFast, kBest    a TrellisEffort each
template <typename Type>
void encode_trellis(const EncodeRows& rows, std::byte* out) noexcept {
  const bool fast = rows.effort == Effort::fast;
  const std::size_t row_bytes =
      sizeof(float) + rows.row_elements / 256 * sizeof(typename Type::Block);
  for (std::size_t row = 0; row < rows.rows; ++row, out += row_bytes) {
    const TrellisRow of_row(rows.values + row * rows.row_elements, rows.importance,
                            rows.row_elements);
    trellis_encoder::RowEncoder<Type>(of_row, fast ? Type::kFast : Type::kBest)
        .encode(rows.bias_correction, out);
  }
}

}  // namespace sluice::inline SLUICE_ISA
