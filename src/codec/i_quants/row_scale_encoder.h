#pragma once

// The encoder of the types whose rows begin with one floating-point scale, and whose sub-blocks of 32
// weights have an integer scale each. How a sub-block is coded at a scale is found as in
// level_encoder.h; here is what a row's super-blocks have in common:
//
// 1. Of each sub-block, the best real-valued scales for either sign and table: parabolas, which
//    foretell the error at any scale.
// 2. The row scale whose multiples these come nearest to, of many that are tried, and refitted by
//    least squares for the codes that it leads to.
// 3. At that scale, as the format has it, each sub-block's table, scale and codes of least error.
// 4. What is stored is corrected for the shrinkage of least squares (codec/bias_correction.h).

#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/i_quants/level_encoder.h"

namespace sluice::inline SLUICE_ISA {

namespace row_scale_encoder {

using level_encoder::Blocks;
using level_encoder::Candidate;
using level_encoder::Candidates;
using level_encoder::Choice;
using level_encoder::kSuperBlock;
using level_encoder::Rows;
using simd::Floats;

struct Row {
  const float* values;
  const float* importance;  ///< null: none is known
  std::size_t super_blocks;
  RowRange range;
};

/// By divergences of a model's files, which for 2 to 16 hardly differ; the error that importance weighs
/// is the smaller the larger it is.
inline constexpr float kMeanShare = 12;

template <typename Type>
Blocks load_blocks(const Row& row, std::size_t i) noexcept {
  Blocks blocks;
  level_encoder::to_sub_block_lanes<Type>(row.values + i * kSuperBlock, blocks.x);
  if (row.range.important) {
    level_encoder::to_sub_block_lanes<Type>(row.importance + i * kSuperBlock, blocks.q);
  }
  blocks.prepare_in<Share::pairs>(row.range, kMeanShare);
  return blocks;
}

/// The candidates of a row's super-blocks; of some of them, evenly spread, where there are more than
/// can be kept.
template <typename Type>
class RowCandidates {
 public:
  explicit RowCandidates(const LevelSearch& search) noexcept : search_(search) {}

  void find(const Row& row) noexcept {
    stride_ = (row.super_blocks + kMost - 1) / kMost;
    count_ = 0;
    for (std::size_t i = 0; i < row.super_blocks; i += stride_) {
      const Blocks blocks = load_blocks<Type>(row, i);
      kept_[count_++] = level_encoder::find_candidates<Type>({blocks.x, blocks.w}, search_);
    }
  }

  /// Those of super-block i.
  Candidates of(std::size_t i, const Rows<Type>& rows) const noexcept {
    return stride_ == 1 ? kept_[i] : level_encoder::find_candidates<Type>(rows, search_);
  }

  /// The row scale whose multiples come nearest to what the sub-blocks want; 0 for none.
  float best_row_scale() const noexcept {
    const float strongest = strongest_scale();
    if (strongest == 0) return 0;
    constexpr ScaleRange kScales = Type::kScales;
    RowScale best;
    try_scales(strongest / kScales.first, best);
    if constexpr (kScales.first != -kScales.last) try_scales(strongest / kScales.last, best);
    return best.scale;
  }

 private:
  static constexpr std::size_t kMost = 64;
  /// The strongest sub-block gets the extreme scale, or one inside or beyond it: factors of it from
  /// kLowest on, each so much larger than the one before.
  static constexpr std::size_t kTrials = 48;
  static constexpr float kLowest = 0.3f;
  static constexpr float kStep = 1.04f;

  struct RowScale {
    float scale = 0;
    float error = 0;  ///< less that of zeros
  };

  /// Of the sub-blocks' favourites the one farthest from zero.
  float strongest_scale() const noexcept {
    Floats highest = 0;
    Floats lowest = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      highest = max(highest, kept_[i][0].scale);
      lowest = min(lowest, kept_[i][0].scale);
    }
    const float most = reduce_max(highest);
    const float least = reduce_min(lowest);
    return most > -least ? most : least;
  }

  void try_scales(float unit, RowScale& best) const noexcept {
    float factors[kTrials];
    float factor = kLowest;
    for (float& f : factors) {
      f = factor * unit;
      factor *= kStep;
    }
    for (std::size_t first = 0; first < kTrials; first += Floats::kLanes) {
      const Floats d = Floats::load(factors + first);
      const Floats errors = foretold_errors(d);
      const std::size_t place = place_of_min(errors);
      if (errors[place] < best.error) best = {d[place], errors[place]};
    }
  }

  /// Of all that is kept, with row scales d.
  Floats foretold_errors(const Floats& d) const noexcept {
    const Floats inverse = Floats(1) / d;
    Floats errors = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t b = 0; b < Type::kSubBlocks; ++b) {
        Floats least;
        for (std::size_t n = 0; n < search_.candidates; ++n) {
          const Candidate& c = kept_[i][n];
          const Floats scale = c.scale[b];
          const Floats off = scale - level_encoder::nearest_scales<Type>(scale * inverse) * d;
          const Floats error = off * off * c.yy[b] - c.gain[b];
          least = n == 0 ? error : min(error, least);
        }
        errors += least;
      }
    }
    return errors;
  }

  LevelSearch search_;
  std::size_t stride_ = 1;
  std::size_t count_ = 0;
  Candidates kept_[kMost];
};

/// The float nearest to `scale` times 2^exponent that a row's scale may be: never 0, and what it
/// leads to is finite.
static inline float round_row_scale(float scale, int exponent, float) noexcept {
  constexpr double kMost = kMostRowScale;
  const double original = double{scale} * power_of_two(exponent);
  const double finite = original < -kMost ? -kMost : original > kMost ? kMost : original;
  const float stored = static_cast<float>(finite);
  return stored != 0 ? stored : scale < 0 ? -FLT_TRUE_MIN : FLT_TRUE_MIN;
}
static inline std::uint16_t round_row_scale(float scale, int exponent, std::uint16_t) noexcept {
  return round_scale(scale, exponent);
}

/// Sums over a row's weights x, which are y at row scale 1.
struct RowFit {
  double xx = 0;
  double xy = 0;
  double yy = 0;
  GainOverZeros gain;

  float least_squares() const noexcept { return yy > 0 ? static_cast<float>(xy / yy) : 0.0f; }
};

/// How much larger than the scale that codes were chosen at the stored one may be. Sub-blocks that
/// would not be better than zeros there get a scale of zero.
inline constexpr float kMostCorrection = 1.25f;

template <typename Type>
class RowEncoder {
 public:
  RowEncoder(const LevelSearch& search, float bias_correction) noexcept
      : search_(search), bias_correction_(bias_correction), candidates_(search) {}

  using Stored = typename Type::RowScale;

  void encode(const Row& row, std::byte* out) noexcept {
    std::byte* const blocks = out + sizeof(Stored);
    Stored stored = choose_scale(row);
    if (stored != 0) stored = encode_near(row, stored, blocks);
    if (stored == 0) put_zeros(row, blocks);
    std::memcpy(out, &stored, sizeof stored);
  }

  /// The scale at which a row's codes are to be chosen; 0: zeros are better.
  Stored choose_scale(const Row& row) noexcept {
    if (!(row.range.largest[0] > 0)) return 0;
    candidates_.find(row);
    const float wanted = candidates_.best_row_scale();
    if (wanted == 0) return 0;
    const float refit = fit(row, in_units(row, stored(row, wanted))).least_squares();
    return stored(row, refit != 0 ? refit : wanted);
  }

  /// Encodes a row's blocks at the scale that it begins with.
  void encode_at_its_scale(const Row& row, std::byte* out) noexcept {
    std::byte* const blocks = out + sizeof(Stored);
    const float d = value_of_scale(read_row_scale<Type>(out), row.range.values.exponent[0]);
    if (!(row.range.largest[0] > 0) || std::abs(d) < 0x1p-100f) return put_zeros(row, blocks);
    candidates_.find(row);
    encode_at(row, d, blocks);
  }

 private:
  static constexpr bool kHasZero = Type::kScales.step == 1;  // else all are odd

  static float in_units(const Row& row, Stored scale) noexcept {
    return value_of_scale(row_scale(scale), row.range.values.exponent[0]);
  }
  static Stored stored(const Row& row, float scale) noexcept {
    return round_row_scale(scale, row.range.values.exponent[0], Stored{});
  }

  /// Fills in all blocks, and returns the scale to store; 0: zeros are better.
  Stored encode_near(const Row& row, Stored chosen, std::byte* blocks) noexcept {
    const float d = in_units(row, chosen);
    const RowFit sums = encode_at(row, d, blocks);
    const float unbiased = corrected_scale(sums.least_squares(), static_cast<float>(sums.xx),
                                           static_cast<float>(sums.xy), bias_correction_);
    const Stored corrected = unbiased != 0 ? stored(row, unbiased) : chosen;
    const float ratio = in_units(row, corrected) / d;
    const Stored best = ratio > 0 && ratio <= kMostCorrection ? corrected : chosen;
    if (kHasZero || sums.gain.positive(in_units(row, best))) return best;
    return sums.gain.positive(d) ? chosen : Stored{0};
  }

  RowFit fit(const Row& row, float d) const noexcept {
    RowFit sums;
    for (std::size_t i = 0; i < row.super_blocks; ++i) {
      const Blocks blocks = load_blocks<Type>(row, i);
      const Rows<Type> rows(blocks.x, blocks.w);
      const Choice choice = level_encoder::choose<Type>(rows, candidates_.of(i, rows), d, search_);
      sums.xy += double{choice.xy};
      sums.yy += double{choice.yy};
    }
    return sums;
  }

  RowFit encode_at(const Row& row, float d, std::byte* out) const noexcept {
    RowFit sums;
    for (std::size_t i = 0; i < row.super_blocks; ++i, out += sizeof(Type)) {
      const Blocks blocks = load_blocks<Type>(row, i);
      const Rows<Type> rows(blocks.x, blocks.w);
      const Choice choice = level_encoder::choose<Type>(rows, candidates_.of(i, rows), d, search_);
      Codes codes;
      level_encoder::find_codes<Type>(blocks, rows, choice, d, codes.code, codes.gain);
      sums.xx += double{blocks.norm()};
      sums.xy += double{choice.xy};
      sums.yy += double{choice.yy};
      const Type block = make_block(row, i, choice, codes, d, sums);
      std::memcpy(out, &block, sizeof block);
    }
    return sums;
  }

  /// Of a super-block, in the order of its weights, and what they gain.
  struct Codes {
    std::uint8_t code[kSuperBlock];
    GainOverZeros gain;
  };

  static Type make_block(const Row& row, std::size_t i, const Choice& choice, const Codes& codes,
                         float d, RowFit& sums) noexcept {
    Type block{};
    std::uint8_t in_order[kSuperBlock];
    for (std::size_t b = 0; b < 2 * Type::kSubBlocks; ++b) {  // first halves before second ones
      std::memcpy(in_order + b % 8 * 32 + b / 8 * 16, codes.code + 16 * b, 16);
    }
    block.set_codes(in_order);
    for (unsigned b = 0; b < Type::kSubBlocks; ++b) {
      const bool coded = !kHasZero || codes.gain.positive(b, b + 8, kMostCorrection * d) ||
                         without_importance(row, i * kSuperBlock + b * 32);
      block.set_scale(b, coded ? static_cast<int>(choice.scale[b]) : 0);
      if constexpr (Type::kShift != 0) block.set_shifted(b, choice.shift[b] > 0);
    }
    if constexpr (!kHasZero) sums.gain.add(codes.gain);
    return block;
  }

  /// Whether a sub-block's weights, which begin at `first`, have none at all: they are coded as
  /// themselves. (Importance may also be too small for the row's units.)
  static bool without_importance(const Row& row, std::size_t first) noexcept {
    if (row.importance == nullptr) return false;
    bool all = true;
    for (std::size_t j = 0; j < 32; ++j) all = all & (row.importance[first + j] == 0);
    return all;
  }

  static void put_zeros(const Row& row, std::byte* out) noexcept {
    const Type block = level_encoder::zeros<Type>();
    for (std::size_t i = 0; i < row.super_blocks; ++i) {
      std::memcpy(out + i * sizeof block, &block, sizeof block);
    }
  }

  LevelSearch search_;
  float bias_correction_;
  RowCandidates<Type> candidates_;
};

}  // namespace row_scale_encoder

namespace row_scale_encoder {

/// Calls each(encoder, row, out) for all rows.
template <typename Type, typename Each>
void for_each_row(const EncodeRows& rows, std::byte* out, const Each& each) noexcept {
  const LevelSearch search = rows.effort == Effort::fast ? Type::kFast : Type::kBest;
  RowEncoder<Type> encoder(search, rows.bias_correction);
  const std::size_t super_blocks = rows.row_elements / kSuperBlock;
  const float* values = rows.values;
  for (std::size_t r = 0; r < rows.rows; ++r) {
    each(encoder,
         Row{values, rows.importance, super_blocks,
             row_range(values, rows.importance, rows.row_elements)},
         out);
    values += rows.row_elements;
    out += sizeof(typename Type::RowScale) + super_blocks * sizeof(Type);
  }
}

}  // namespace row_scale_encoder

/// Encodes rows of a type of this family. Type is its super-block, which has what encode_levels()
/// wants, but for d and with set_shifted() for `extra`; codes are in the order of the weights. And
///   RowScale        float or std::uint16_t
///   kBothRoundings  where a scale is tried rounded up and down
///   Codebook        where a weight's code isn't just that of the nearest level (level_fit.h)
template <typename Type>
void encode_row_scaled(const EncodeRows& rows, std::byte* out) noexcept {
  using namespace row_scale_encoder;
  for_each_row<Type>(rows, out,
                     [](RowEncoder<Type>& encoder, const Row& row, std::byte* to) noexcept {
                       encoder.encode(row, to);
                     });
}

/// Encodes rows that begin with their scales already.
template <typename Type>
void encode_at_row_scales(const EncodeRows& rows, std::byte* out) noexcept {
  using namespace row_scale_encoder;
  for_each_row<Type>(rows, out,
                     [](RowEncoder<Type>& encoder, const Row& row, std::byte* to) noexcept {
                       encoder.encode_at_its_scale(row, to);
                     });
}

/// The scale at which a row's codes are to be chosen; 0 where zeros are better.
template <typename Type>
float best_row_scale(const EncodeRows& row) noexcept {
  float scale = 0;
  row_scale_encoder::for_each_row<Type>(
      row, nullptr, [&](auto& encoder, const row_scale_encoder::Row& r, std::byte*) noexcept {
        scale = row_scale(encoder.choose_scale(r));
      });
  return scale;
}

}  // namespace sluice::inline SLUICE_ISA
