#pragma once

// The encoder of the trellis types: a row has a scale, a sub-block of 32 weights an integer multiple of
// it, and each of its groups is a vector of a codebook.
//
// 1. The scale at which each sub-block is likely to come out best is foretold from its moments, and a
//    row's scale is chosen that has multiples near to these.
// 2. For a sub-block both signs of the scale are searched at the foretold one, and what was found is
//    priced at the few multiples nearest to it. Each sign is a codebook of its own, and with each
//    multiple the vectors lie elsewhere: the best of several takes 10 % off the error.
// 3. At the multiple with the least error the groups are searched again, farther.
// 4. The row's scale is fitted by least squares, and corrected for its shrinkage.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "codec/trellis/scales.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "codec/weighting.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {
namespace trellis_encoder {

using simd::Floats;

/// The sums of a row for its codes at scale 1.
struct RowFit {
  Floats xx = 0;
  Floats xy = 0;
  Floats yy = 0;
  simd::Doubles qxy = 0;  ///< with the importance for weight
  simd::Doubles qyy = 0;

  /// Whether the row is better than zeros, as its importance weighs errors.
  bool better_than_zeros(double scale) const noexcept {
    double sum_xy = 0;
    double sum_yy = 0;
    for (std::size_t lane = 0; lane < simd::Doubles::kLanes; ++lane) {
      sum_xy += qxy[lane];
      sum_yy += qyy[lane];
    }
    return scale * (2 * sum_xy - scale * sum_yy) > 0;
  }
};

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
  static constexpr std::size_t kSigns = Type::kSigns;
  static constexpr std::size_t kSuperBlock = 256;
  using Tile = TrellisTile<kGroup>;
  using Queries = TrellisQueries<kGroup, kSigns>;
  static constexpr std::size_t kShared = Tile::kShared;

  RowEncoder(const float* values, const float* importance, std::size_t elements,
             const TrellisEffort& effort) noexcept
      : values_(values),
        importance_(importance),
        elements_(elements),
        effort_(effort),
        range_(row_range(values, importance, elements)) {}

  /// Writes a row.
  void encode(float bias_correction, std::byte* out) noexcept {
    using Block = typename Type::Block;
    std::byte* const scale_place = out;
    out += sizeof(float);
    scale_ = range_.largest[0] > 0 ? find_scale() : 0.0f;
    for (std::size_t i = 0; i < elements_; i += kSuperBlock, out += sizeof(Block)) {
      Block block{};
      if (scale_ > 0) {
        Codes<Type> codes;
        encode_super_block(i, codes);
        for (std::size_t b = 0; b < std::size(codes.scale); ++b) block.set_scale(b, codes.scale[b]);
        for (std::size_t g = 0; g < std::size(codes.index); ++g) block.set_index(g, codes.index[g]);
      }
      std::memcpy(out, &block, sizeof block);
    }
    const float scale = scale_ > 0 ? fitted_scale(bias_correction) : 0.0f;
    std::memcpy(scale_place, &scale, sizeof scale);
  }

 private:
  TrellisMeans means(std::size_t first) const noexcept {
    Floats squares = 0;
    Floats importance = range_.important ? 0.0f : 16.0f;
    for (std::size_t i = first; i < first + kSuperBlock; i += Floats::kLanes) {
      const Floats x =
          range_.values(max(min(Floats::load(values_ + i), range_.largest), -range_.largest));
      squares += x * x;
      if (range_.important) importance += range_.importance(Floats::load(importance_ + i));
    }
    return {reduce_sum(squares) / kSuperBlock, reduce_sum(importance) / kSuperBlock + 0x1p-40f};
  }
  void load(Tile& tile, std::size_t first, const TrellisMeans& means) const noexcept {
    tile.load(values_ + first, importance_ == nullptr ? nullptr : importance_ + first, range_,
              means);
  }

  float find_scale() const noexcept {
    // No value is 2 or more.
    RowScaleTrials<Type::kAllScales> trials(2 * Type::kLikelyScale);
    for (std::size_t i = 0; i < elements_; i += kSuperBlock) {
      const TrellisMeans of_super_block = means(i);
      for (std::size_t first = i; first < i + kSuperBlock; first += Tile::kWeights) {
        Tile tile;
        load(tile, first, of_super_block);
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
    const TrellisMeans of_super_block = means(first);
    for (std::size_t i = 0; i < kSuperBlock; i += Tile::kWeights) {
      Tile tile;
      load(tile, first + i, of_super_block);
      encode_tile(tile, codes.scale + i / 32, codes.index + i / kGroup);
    }
  }

  void encode_tile(const Tile& tile, std::uint8_t* scales, std::uint16_t* indices) noexcept {
    const TrellisTree<kBook>& tree = TrellisTree<kBook>::get();
    const Floats wish = max(tile.likely_scale(Type::kLikelyScale), Floats(scale_));
    const Queries first(tile, wish);
    TrellisRanking<kBook> rankings[16][kSigns];
    float multiples[16];
    for (std::size_t lane = 0; lane < 16; lane += kShared) {
      const Multiple multiple =
          choose_multiple(tree, tile, first, wish[lane], lane, &rankings[lane]);
      scales[lane / kShared] = multiple.code;
      for (std::size_t i = 0; i < kShared; ++i) multiples[lane + i] = multiple.value;
    }
    const Floats multiple = Floats::load(multiples);
    const Queries last(tile, abs(multiple) * scale_);
    std::uint32_t found[16];
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const std::size_t sign = multiples[lane] < 0 ? 1 : 0;
      const TrellisIndices best = rankings[lane][sign].search(
          tree, last.query(lane, sign), margin(effort_.last_cells, first.spread(lane)));
      const Floats error = price(fit(tile, lane, best), multiples[lane] * scale_);
      found[lane] = best[place_of_min(error)];
      indices[lane] = static_cast<std::uint16_t>(found[lane]);
    }
    add_to_fit(tile, multiple, TrellisIndices::load(found));
  }

  /// A scale that a type has.
  struct Multiple {
    float value;
    std::uint8_t code;
  };

  /// Searches the groups of a sub-block with both signs of the foretold scale, and prices what is found
  /// at the scales nearest to it.
  Multiple choose_multiple(const TrellisTree<kBook>& tree, const Tile& tile, const Queries& queries,
                           float wish, std::size_t first,
                           TrellisRanking<kBook> (*rankings)[kSigns]) const noexcept {
    constexpr std::size_t kTried = Type::kTriedScales;
    std::size_t nearest[kSigns];
    float errors[kSigns][kTried] = {};
    for (std::size_t sign = 0; sign < kSigns; ++sign) {
      nearest[sign] = Type::kScales[sign].first_of_nearest(wish / scale_, kTried);
    }
    for (std::size_t i = 0; i < kShared; ++i) {
      const std::size_t lane = first + i;
      TrellisQuery<kGroup> query[kSigns];
      for (std::size_t sign = 0; sign < kSigns; ++sign) query[sign] = queries.query(lane, sign);
      const float spread = queries.spread(lane);
      rank_cells(tree, query, margin(effort_.branches, spread), rankings[i]);
      for (std::size_t sign = 0; sign < kSigns; ++sign) {
        const Fit found =
            fit(tile, lane,
                rankings[i][sign].search(tree, query[sign], margin(effort_.first_cells, spread)));
        for (std::size_t t = 0; t < kTried; ++t) {
          const float scale = multiple_of(sign, nearest[sign] + t).value * scale_;
          errors[sign][t] += reduce_min(price(found, scale));
        }
      }
    }
    std::size_t best_sign = 0;
    std::size_t best = 0;
    for (std::size_t sign = 0; sign < kSigns; ++sign) {
      for (std::size_t t = 0; t < kTried; ++t) {
        if (errors[sign][t] >= errors[best_sign][best]) continue;
        best_sign = sign;
        best = t;
      }
    }
    return multiple_of(best_sign, nearest[best_sign] + best);
  }

  static Multiple multiple_of(std::size_t sign, std::size_t place) noexcept {
    const TrellisScales& scales = Type::kScales[sign];
    const float magnitude = scales.magnitude[place];
    return {sign > 0 ? -magnitude : magnitude, scales.code[place]};
  }

  static std::int32_t margin(float share, float spread) noexcept {
    return static_cast<std::int32_t>(share * spread);
  }

  /// Sums of w x c and w c^2.
  struct Fit {
    Floats xy;
    Floats yy;

    void add(const Floats& x, const Floats& w, const Floats& c) noexcept {
      const Floats wc = w * c;
      xy += wc * x;
      yy += wc * c;
    }
  };
  /// Of one group and 16 vectors.
  static Fit fit(const Tile& tile, std::size_t lane, const TrellisIndices& indices) noexcept {
    Fit sums{0, 0};
    for_each_integer<kBook>(indices, [&](std::size_t j, const Floats& c) noexcept {
      sums.add(tile.x[j][lane], tile.w[j][lane], c);
    });
    return sums;
  }
  /// The errors at scales, less those of zeros.
  static Floats price(const Fit& fit, const Floats& scale) noexcept {
    return (fit.yy * scale - fit.xy * 2.0f) * scale;
  }

  void add_to_fit(const Tile& tile, const Floats& multiple, const TrellisIndices& found) noexcept {
    for_each_integer<kBook>(found, [&](std::size_t j, const Floats& c) noexcept {
      const Floats& x = tile.x[j];
      const Floats y = c * multiple;
      const Floats wx = tile.w[j] * x;
      fit_.xx += wx * x;
      fit_.xy += wx * y;
      fit_.yy += tile.w[j] * y * y;
      const simd::Doubles qy = to_doubles(tile.q[j]) * to_doubles(y);
      fit_.qxy += qy * to_doubles(x);
      fit_.qyy += qy * to_doubles(y);
    });
  }

  /// The errors' weight prefers large values, which shrink less than others: a row's scale has to be
  /// corrected by more than it says. Tried on models (bench/notes/trellis.md), where an unbiased scale
  /// is 1.1 times that of least squares; what is far from that is noise to such a code.
  static constexpr float kCorrection = 1.4f;
  static constexpr float kMostUnbiased = 1.2f;

  float fitted_scale(float bias_correction) const noexcept {
    const float xy = reduce_sum(fit_.xy);
    const float least_squares = xy / max_of(reduce_sum(fit_.yy), 0x1p-100f);
    const float xx = reduce_sum(fit_.xx);
    const float most = kMostUnbiased * least_squares * xy;
    const float corrected =
        corrected_scale(least_squares, xx < most ? xx : most, xy, kCorrection * bias_correction);
    for (const float scale : {corrected, least_squares}) {
      // Readers multiply by the scale of the sub-block before they do by the integers.
      constexpr double kMost = 0x1p113;
      const int exponent = range_.values.exponent[0];
      const double wanted = double{scale} / Type::kRuntimeFactor * power_of_two(exponent);
      const auto stored = static_cast<float>(wanted < kMost ? wanted : kMost);
      // The smallest floats are few: what is stored may be far from what is wanted.
      if (fit_.better_than_zeros(double{stored} * power_of_two(-exponent))) return stored;
    }
    return 0;
  }
  static float max_of(float a, float b) noexcept { return a > b ? a : b; }

  const float* values_;
  const float* importance_;
  std::size_t elements_;
  TrellisEffort effort_;
  RowRange range_;
  float scale_ = 0;
  RowFit fit_;
};

}  // namespace trellis_encoder

/// Encodes rows of a trellis type. Type has
///   Block, and block(codes, values): one of 256 weights
///   kBook                 the codebook
///   kSigns                2 where scales may be negative
///   kScales[kSigns]       the scales of each sign; kAllScales of both
///   kTriedScales          how many of each sign are priced
///   kLikelyScale          what a sub-block's (weighted) fourth moment's root is multiplied by
///   kRuntimeFactor        what products of matrices multiply the values by
///   kFast, kBest          a TrellisEffort each
template <typename Type>
void encode_trellis(const EncodeRows& rows, std::byte* out) noexcept {
  const TrellisEffort& effort = rows.effort == Effort::fast ? Type::kFast : Type::kBest;
  const std::size_t row_bytes =
      sizeof(float) + rows.row_elements / 256 * sizeof(typename Type::Block);
  for (std::size_t row = 0; row < rows.rows; ++row, out += row_bytes) {
    trellis_encoder::RowEncoder<Type>(rows.values + row * rows.row_elements, rows.importance,
                                      rows.row_elements, effort)
        .encode(rows.bias_correction, out);
  }
}

}  // namespace sluice::inline SLUICE_ISA
