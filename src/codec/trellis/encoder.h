#pragma once

// The encoder of IQ1_KT and IQ2_KT: a row has a scale, a sub-block of 32 weights one of 16 multiples of
// it, of either sign, and each of its groups is a vector of a codebook.
//
// 1. The scale at which each sub-block is likely to come out best is foretold from its moments, and a
//    row's scale is chosen that has multiples near to these.
// 2. For a sub-block both signs of the foretold scale are searched, a little way, and what was found is
//    priced at all multiples: the sums of w x c and w c^2 say what a vector is worth at any.
// 3. At the multiples with the least prices the groups are searched again, farther. Each is a codebook
//    of its own: the best of several takes 10 % off the error.
// 4. The row's scale is fitted by least squares, and corrected for its shrinkage.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "codec/i_quants/levels.h"
#include "codec/trellis/candidates.h"
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

/// \tparam kDepth  of the beams
template <typename Type, std::size_t kDepth>
class RowEncoder {
 public:
  static constexpr TrellisCodebook kBook = Type::kBook;
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kSuperBlock = TrellisRow::kSuperBlock;
  using Tile = TrellisTile<kGroup>;
  using Queries = TrellisQueries<kGroup>;
  static constexpr std::size_t kShared = Tile::kShared;
  static constexpr std::size_t kBlocks = 16 / kShared;
  /// How many of the vectors that were found for a group are compared as floats: where scales are
  /// priced, each scale has a best one of its own.
  static constexpr std::size_t kPriced = 8;
  static constexpr std::size_t kCompared = 4;
  static constexpr float kFar = 0x1p100f;  ///< an error that is none
  static constexpr TrellisMeans kMeans = {.square = 50, .importance = 0.1f};

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

  /// What is known of a tile's groups when they have been searched at the foretold scales.
  struct Ranked {
    TrellisBeam<kDepth> cells[16][2];  ///< of each sign
    float spread[16];
  };
  /// Codes for a tile.
  struct Found {
    simd::Ints scale;  ///< the level's number
    Floats multiple;
    TrellisIndices index;
    Floats error;  ///< of a sub-block, in each of its lanes, less that of zeros

    void take_better(const Found& other) noexcept {
      const simd::FloatMask better = other.error < error;
      scale = select(better, other.scale, scale);
      multiple = select(better, other.multiple, multiple);
      index = simd::bits_of<TrellisIndices>(
          select(better, simd::bits_of<simd::Ints>(other.index), simd::bits_of<simd::Ints>(index)));
      error = select(better, other.error, error);
    }
  };

  void encode_tile(const Tile& tile, std::uint8_t* scales, std::uint16_t* indices) noexcept {
    Ranked ranked;
    Floats prices[kBlocks];
    price_multiples(tile, ranked, prices);
    std::int32_t codes[16];
    take_cheapest(prices, codes);
    Found best = search_at(tile, codes, ranked);
    for (std::size_t t = 1; t < effort_.scales; ++t) {
      take_cheapest(prices, codes);
      best.take_better(search_at(tile, codes, ranked));
    }
    for (std::size_t b = 0; b < kBlocks; ++b) {
      scales[b] = static_cast<std::uint8_t>(best.scale[b * kShared]);
    }
    for (std::size_t lane = 0; lane < 16; ++lane) {
      indices[lane] = static_cast<std::uint16_t>(best.index[lane]);
    }
    row_.template add<kBook>(tile, best.multiple, best.index);
  }

  /// Searches the groups of a tile with both signs of the foretold scales, and prices what is found at all
  /// multiples: the errors, less those of zeros.
  void price_multiples(const Tile& tile, Ranked& ranked, Floats (&prices)[kBlocks]) const noexcept {
    const Floats wish = max(tile.likely_scale(Type::kLikelyScale), Floats(scale_));
    const Queries queries[2] = {Queries(tile, wish), Queries(tile, -wish)};
    TrellisCandidates<kBook, kPriced> found[2];
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const float spread = queries[0].spread(lane);
      ranked.spread[lane] = spread;
      rank_cells<kBook, kDepth>(tree_, {queries[0].query(lane), queries[1].query(lane)},
                                margin(effort_.branches, spread), ranked.cells[lane]);
      for (std::size_t sign = 0; sign < 2; ++sign) {
        TrellisFinds<kBook, kDepth>(tree_, queries[sign].query(lane), ranked.cells[lane][sign],
                                    margin(effort_.first_cells, spread))
            .template best_of_lanes<kPriced>(found[sign].of_group(lane));
      }
    }
    for (auto& of_sign : found) of_sign.fit(tile);
    const Floats levels = Floats::load(kIq4Levels.data());
    for (std::size_t b = 0; b < kBlocks; ++b) {
      prices[b] = 0;
      for (std::size_t lane = b * kShared; lane < (b + 1) * kShared; ++lane) {
        Floats least = kFar;
        for (std::size_t k = 0; k < kPriced; ++k) {
          const TrellisFit of_sign[2] = {found[0].at(lane, k), found[1].at(lane, k)};
          const TrellisFit fit{select(levels > 0, of_sign[0].xy, of_sign[1].xy),
                               select(levels > 0, of_sign[0].yy, of_sign[1].yy)};
          least = min(least, fit.error(levels * scale_));
        }
        prices[b] += least;
      }
    }
  }

  /// Writes the numbers of the levels with the least prices, for each lane, which are then the highest.
  static void take_cheapest(Floats (&prices)[kBlocks], std::int32_t (&codes)[16]) noexcept {
    for (std::size_t b = 0; b < kBlocks; ++b) {
      const std::size_t code = place_of_min(prices[b]);
      for (std::size_t i = 0; i < kShared; ++i) {
        codes[b * kShared + i] = static_cast<std::int32_t>(code);
      }
      const Floats numbers = to_floats(simd::lane_numbers());
      prices[b] = select(numbers != static_cast<float>(code), prices[b], kFar);
    }
  }

  /// Searches the groups of a tile at scales.
  /// \param codes  the levels' numbers, of each lane
  Found search_at(const Tile& tile, const std::int32_t (&codes)[16],
                  const Ranked& ranked) const noexcept {
    float multiples[16];
    for (std::size_t lane = 0; lane < 16; ++lane) multiples[lane] = level(codes[lane]);
    const Floats multiple = Floats::load(multiples);
    const Floats scale = multiple * scale_;
    const Queries queries(tile, scale);
    TrellisCandidates<kBook, kCompared> found;
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const std::size_t sign = multiples[lane] < 0 ? 1 : 0;
      TrellisFinds<kBook, kDepth>(tree_, queries.query(lane), ranked.cells[lane][sign],
                                  margin(effort_.last_cells, ranked.spread[lane]))
          .template best_of_lanes<kCompared>(found.of_group(lane));
    }
    found.fit(tile);
    std::uint32_t best[16];
    float errors[16];
    for (std::size_t lane = 0; lane < 16; ++lane) {
      found.choose(lane, scale_ * multiples[lane], best[lane], errors[lane]);
    }
    return {simd::Ints::load(codes), multiple, TrellisIndices::load(best),
            Tile::sum_of_block(Floats::load(errors))};
  }

  static float level(std::int32_t code) noexcept {
    return kIq4Levels[static_cast<std::size_t>(code)];
  }
  static std::int32_t margin(float share, float spread) noexcept {
    return static_cast<std::int32_t>(share * spread);
  }

  const TrellisTree<kBook>& tree_ = TrellisTree<kBook>::get();
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
    if (fast) {
      trellis_encoder::RowEncoder<Type, 2>(of_row, Type::kFast).encode(rows.bias_correction, out);
    } else {
      trellis_encoder::RowEncoder<Type, 4>(of_row, Type::kBest).encode(rows.bias_correction, out);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
