#pragma once

// The encoder of IQ1_KT and IQ2_KT: a row has a scale, a sub-block of 32 weights one of 16 multiples of
// it, of either sign, and each of its groups is a vector of a codebook.
//
// 1. The scale at which each sub-block is likely to come out best is foretold from its moments, and a
//    row's scale is chosen that has multiples near to these.
// 2. Tiles are encoded at multiples of it (tile_encoder.h).
// 3. The row's scale is fitted by least squares, and corrected for its shrinkage.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "codec/trellis/row.h"
#include "codec/trellis/scales.h"
#include "codec/trellis/tile_encoder.h"
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
  using TileEncoder = TrellisTileEncoder<Type>;
  static constexpr std::size_t kShared = Tile::kShared;
  static constexpr TrellisMeans kMeans = {.square = 320, .importance = 0.01f};
  /// Columns of little importance can come out worse than zeros. Where they are most of a super-block, so that
  /// it does as a whole, it is encoded again with this share of the mean.
  static constexpr float kMostPlainError = 0.9f;
  static constexpr float kMoreImportance = 0.1f;

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
        const Tile tile = row_.template tile<kGroup>(first, of_super_block);
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
    TrellisSums sums = encode_super_block(first, kMeans, codes);
    if (sums.plain_error(scale_) > kMostPlainError) {
      sums = encode_super_block(first, {kMeans.square, kMoreImportance}, codes);
    }
    row_.add(sums);
  }

  TrellisSums encode_super_block(std::size_t first, const TrellisMeans& shares,
                                 Codes<Type>& codes) const noexcept {
    const TrellisMeans means = row_.means(first, shares);
    TileEncoder tiles[] = {{row_, first, means, effort_, scale_},
                           {row_, first + Tile::kWeights, means, effort_, scale_}};
    static_assert(sizeof tiles / sizeof *tiles * Tile::kWeights == kSuperBlock);
    for (TileEncoder& tile : tiles) tile.price();
    TrellisSums sums;
    std::uint8_t* scales = codes.scale;
    std::uint16_t* indices = codes.index;
    for (const TileEncoder& tile : tiles) {
      const auto found = tile.find();
      for (std::size_t lane = 0; lane < 16; lane += kShared) {
        *scales++ = static_cast<std::uint8_t>(found.code[lane]);
      }
      for (std::size_t lane = 0; lane < 16; ++lane) {
        *indices++ = static_cast<std::uint16_t>(found.index[lane]);
      }
      sums.add<kBook>(tile.tile(), found.multiple, found.index);
    }
    return sums;
  }

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
