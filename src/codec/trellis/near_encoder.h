#pragma once

// The encoder of the trellis types of 3 and 4 bits, whose scales are evenly spaced.
//
// 1. The row's scale is such that the sub-block whose foretold scale is the largest has nearly the
//    largest multiple.
// 2. A sub-block is searched at some multiples around the foretold one, with either sign, in either
//    codebook, where the type has two: each is a codebook of its own, and the best of 20 has a tenth
//    less error than one. What is found is priced at the multiple that fits it.
// 3. It is searched again, farther, at the best.
// 4. The row's scale is fitted by least squares, and corrected for its shrinkage.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/trellis/near_tree.h"
#include "codec/trellis/row.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// Of FirstSearch and LastSearch, each NearTreeSearch, NearListSearch or NearRegionSearch.
template <typename FirstSearch, typename LastSearch>
struct NearEffort {
  using First = FirstSearch;
  using Last = LastSearch;

  std::size_t multiples;         ///< how many are tried
  typename First::Effort first;  ///< at those
  typename Last::Effort last;    ///< at the one that was chosen
};

namespace near_encoder {

using simd::Floats;
using simd::Ints;

template <typename Type>
class RowEncoder {
 public:
  static constexpr TrellisCodebook kBook = Type::kBook;
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kSuperBlock = TrellisRow::kSuperBlock;
  using Block = typename Type::Block;
  using Tile = TrellisTile<kGroup>;
  using Targets = NearTargets<kGroup>;
  using Finds = NearFinds<kGroup>;
  static constexpr std::size_t kShared = Tile::kShared;

  using Effort = typename Type::Effort;

  RowEncoder(const float* values, const float* importance, std::size_t elements,
             const Effort& effort) noexcept
      : effort_(effort), row_(values, importance, elements) {}

  /// Writes a row.
  void encode(float bias_correction, std::byte* out) noexcept {
    std::byte* const scale_place = out;
    out += sizeof(float);
    scale_ = row_.empty() ? 0.0f : find_scale();
    for (std::size_t i = 0; i < row_.elements(); i += kSuperBlock, out += sizeof(Block)) {
      Block block{};
      if (scale_ > 0) encode_super_block(i, block);
      std::memcpy(out, &block, sizeof block);
    }
    const float scale =
        scale_ > 0 ? row_.fitted_scale(bias_correction, Block::kRuntimeFactor) : 0.0f;
    std::memcpy(scale_place, &scale, sizeof scale);
    for (std::size_t i = row_.elements(); i > 0; i -= kSuperBlock) {
      out -= sizeof(Block);
      zero_if_worse(i - kSuperBlock, scale, out);
    }
  }

 private:
  /// What the lanes' groups are encoded as; scale and error are those of their sub-blocks.
  struct Codes {
    Floats error;          ///< less that of zeros
    Floats multiple;       ///< of the row's scale, signed
    TrellisIndices index;  ///< while multiples are tried, places
  };

  static constexpr auto kMostMultiple = static_cast<float>(Block::kMostMultiple);

  Tile tile_at(std::size_t first, const TrellisMeans& means) const noexcept {
    Tile tile = row_.template tile<kGroup>(first, means);
    if constexpr (kBook.magnitudes) {
      for (Floats& x : tile.x) x = abs(x);
    }
    return tile;
  }

  float find_scale() const noexcept {
    Floats most = 0;
    for (std::size_t i = 0; i < row_.elements(); i += kSuperBlock) {
      const TrellisMeans means = row_.means(i, Type::kMeans);
      for (std::size_t first = i; first < i + kSuperBlock; first += Tile::kWeights) {
        most = max(most, tile_at(first, means).likely_scale(Type::kLikelyScale));
      }
    }
    return reduce_max(most) / Type::kTopMultiple;
  }

  void encode_super_block(std::size_t first, Block& block) noexcept {
    const TrellisMeans means = row_.means(first, Type::kMeans);
    for (std::size_t i = 0; i < kSuperBlock; i += Tile::kWeights) {
      const Tile tile = tile_at(first + i, means);
      const Codes codes = encode_tile(tile);
      for (std::size_t lane = 0; lane < 16; ++lane) {
        block.set_index(i / kGroup + lane, codes.index[lane]);
        if (lane % kShared != 0) continue;
        block.set_scale(i / 32 + lane / kShared, static_cast<int>(codes.multiple[lane]));
      }
      TrellisSums sums;
      sums.add<kBook>(tile, codes.multiple, codes.index);
      row_.add(sums);
    }
    if constexpr (kBook.magnitudes) {
      for (std::size_t i = 0; i < kSuperBlock; ++i) {
        block.set_negative(i / 32, i % 32, row_.values()[first + i] < 0);
      }
    }
  }

  /// Weights without importance are searched as if they had some: where nothing else is in a super-block,
  /// it may be worse than zeros.
  void zero_if_worse(std::size_t first, float scale, std::byte* out) const noexcept {
    Block block;
    std::memcpy(&block, out, sizeof block);
    float decoded[kSuperBlock];
    block.decode(scale, decoded);
    if (!row_.zeros_are_better(first, decoded)) return;
    for (std::size_t b = 0; b < Block::kSubBlocks; ++b) block.set_scale(b, 0);
    std::memcpy(out, &block, sizeof block);
  }

  Codes encode_tile(const Tile& tile) const noexcept {
    if constexpr (requires { Type::kOneSided; }) {
      if (reduce_max(tile.one_sided(Type::kNearlyAll)) > 0) {
        return encode_tile(tile, Type::kOneSided);
      }
    }
    return encode_tile(tile, effort_);
  }
  template <typename AnyEffort>
  Codes encode_tile(const Tile& tile, const AnyEffort& effort) const noexcept {
    Targets targets;
    targets.set_weights(tile.w);
    Codes best = try_multiples(tile, effort, targets);
    search_again(tile, effort, targets, best);
    return best;
  }

  /// A search at a multiple.
  template <typename Search>
  struct Trial {
    Floats sign;
    Targets targets;
    typename Search::Aim aim;
  };

  /// Searches at multiples around the foretold ones, of both signs, in all parts.
  /// \param targets  with their weights
  template <typename AnyEffort>
  Codes try_multiples(const Tile& tile, const AnyEffort& effort, Targets& targets) const noexcept {
    using Search = typename AnyEffort::First;
    const Floats foretold = max(round(tile.likely_scale(Type::kLikelyScale) / Floats(scale_)), 1);
    targets.set_targets(tile.x, foretold * scale_);
    constexpr std::size_t kAnyPart[16] = {};
    const Search search(targets, kAnyPart, effort.first);
    const auto others = static_cast<float>(effort.multiples - 1);
    const Floats step = max(round(foretold * kStep), 1);
    const Floats highest = min(foretold + step * (0.5f * others), kMostMultiple);
    const Floats lowest = max(round(highest - step * others), 1);

    constexpr std::size_t kSigns = Type::kNegative ? 2 : 1;
    const std::size_t count = kSigns * effort.multiples;
    static_assert(Search::kFinds == Block::kParts);
    const auto aim = [&](std::size_t i, Trial<Search>& trial) noexcept {
      trial.sign = i < effort.multiples ? 1.0f : -1.0f;
      const auto steps = static_cast<float>(i < effort.multiples ? i : i - effort.multiples);
      const Floats scale = min(lowest + step * steps, kMostMultiple) * trial.sign * scale_;
      trial.targets.set_targets(tile.x, scale);
      trial.aim = search.aim(tile.x, scale, trial.targets);
    };
    // Cells are asked for two trials before they are compared.
    constexpr std::size_t kAhead = 2;
    const Trial<Search> none = {0, targets, {}};
    Trial<Search> ring[kAhead + 1] = {none, none, none};
    Codes best = {0, 0, 0};
    for (std::size_t i = 0; i < count + kAhead; ++i) {
      if (i < count) aim(i, ring[i % (kAhead + 1)]);
      if (i < kAhead) continue;
      const Trial<Search>& trial = ring[(i - kAhead) % (kAhead + 1)];
      Finds finds[Search::kFinds];
      search.find(trial.targets, trial.aim, finds);
      for (const Finds& found : finds) {
        take_better(tile, found, found.places(), trial.sign, best);
      }
    }
    return best;
  }

  /// \param best  of what was tried; of what is chosen, with indices
  template <typename AnyEffort>
  void search_again(const Tile& tile, const AnyEffort& effort, Targets& targets,
                    Codes& best) const noexcept {
    using Tried = typename AnyEffort::First;
    const TrellisIndices tried = best.index;
    std::size_t parts[16];
    for (std::size_t lane = 0; lane < 16; ++lane) parts[lane] = Tried::part(tried[lane]);
    const Floats sign = select(best.multiple < 0, Floats(-1), Floats(1));
    const Floats scale = max(abs(best.multiple), 1) * sign * scale_;
    targets.set_targets(tile.x, scale);
    const typename AnyEffort::Last search(targets, parts, effort.last);
    Finds finds[1];
    search.find(targets, search.aim(tile.x, scale, targets), finds);
    // Most often it is the same that is found again, which is taken: its indices are near at hand.
    constexpr float kLittleLess = 1 - 0x1p-24f;  // the next number toward zero
    best.error *= kLittleLess;
    const auto better = take_better(tile, finds[0], search.indices(finds[0].places()), sign, best);
    if (to_bits(better) == 0xffffu) return;
    best.index = select_indices(better, best.index, Tried::indices(tried));
  }

  /// Takes what is found where it is better, at the multiple of this sign that fits it, and returns where it is.
  /// \param index  what is kept of it
  simd::FloatMask take_better(const Tile& tile, const Finds& finds, const TrellisIndices& index,
                              const Floats& sign, Codes& best) const noexcept {
    Floats xy = 0;
    Floats yy = 0;
    finds.for_each_integer([&](std::size_t j, const Floats& c) noexcept {
      const Floats wc = tile.w[j] * c;
      xy += wc * tile.x[j];
      yy += wc * c;
    });
    xy = Tile::sum_of_block(xy) * sign;
    yy = Tile::sum_of_block(yy);
    const Floats multiple = clamp(round(xy / max(yy * scale_, 0x1p-100f)), 0, kMostMultiple);
    const Floats scale = multiple * scale_;
    const Floats error = (yy * scale - xy * 2.0f) * scale;
    const simd::FloatMask better = error < best.error;
    best.error = select(better, error, best.error);
    best.multiple = select(better, multiple * sign, best.multiple);
    best.index = select_indices(better, index, best.index);
    return better;
  }

  /// Between multiples that are tried, as a share of the foretold one.
  static constexpr float kStep = 0.1f;

  Effort effort_;
  TrellisRow row_;
  float scale_ = 0;
};

}  // namespace near_encoder

/// Encodes rows of a trellis type. Type has
///   Block           one of 256 weights, with set_scale(sub-block, multiple), set_index(group, index), and
///                   set_negative(sub-block, weight, negative) if the codebook is of magnitudes;
///                   kMostMultiple, the largest multiple
///   kBook           the codebook; Block::kParts of equal size, of which a sub-block has one
///   kNegative       whether multiples may be negative
///   kTopMultiple    what is aimed at for a row's largest sub-block
///   kLikelyScale    what a sub-block's (weighted) fourth moment's root is multiplied by
///   kMeans          shares of means in the weight of an error; little of the importance's, as what it is
///                   for (columns without importance) zero_if_worse() sees to
///   Effort          a NearEffort
///   kFast, kBest    one each
///   kOneSided       where there is one: a NearEffort for tiles with a group of which one weight is nearly all:
///                   which vectors are near depends on it more than on the region
///   kNearlyAll      where there is a kOneSided: all others are less than this share of one
template <typename Type>
void encode_near(const EncodeRows& rows, std::byte* out) noexcept {
  const typename Type::Effort& effort = rows.effort == Effort::fast ? Type::kFast : Type::kBest;
  const std::size_t row_bytes =
      sizeof(float) + rows.row_elements / 256 * sizeof(typename Type::Block);
  for (std::size_t row = 0; row < rows.rows; ++row, out += row_bytes) {
    near_encoder::RowEncoder<Type>(rows.values + row * rows.row_elements, rows.importance,
                                   rows.row_elements, effort)
        .encode(rows.bias_correction, out);
  }
}

}  // namespace sluice::inline SLUICE_ISA
