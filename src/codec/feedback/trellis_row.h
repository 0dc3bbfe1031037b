#pragma once

// Rows of the trellis types (codec/trellis): the scales of sub-blocks of 32 weights are foretold from
// moments, and the row's scale is such that they can be coded, with room for what feeds in.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/feedback/row_block.h"
#include "codec/i_quants/levels.h"
#include "codec/weighting.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// The scales at which integers of a codebook's spread are likely to come nearest to sub-blocks of 32
/// weights. Errors of the largest weights are what a scale that is too small costs: so it is a share of
/// the fourth moment's root.
class LikelyScales {
 public:
  static constexpr std::size_t kWidth = 32;

  LikelyScales(const float* values, const float* importance, std::size_t count,
               float share) noexcept
      : values_(values),
        importance_(importance),
        share_(share),
        range_(row_range(values, importance, count)) {}

  bool empty() const noexcept { return !(range_.largest[0] > 0); }
  int exponent() const noexcept { return range_.values.exponent[0]; }

  struct Scale {
    float likely;  ///< in the row's units
    float energy;  ///< what errors of such a size cost
  };
  /// Of the sub-block that begins at `first`.
  Scale of(std::size_t first) const noexcept {
    Floats fourth = 0;
    Floats second = 0;
    Floats sum = 0x1p-100f;
    for (std::size_t i = first; i < first + kWidth; i += Floats::kLanes) {
      const Floats x =
          range_.values(max(min(Floats::load(values_ + i), range_.largest), -range_.largest));
      const Floats w = range_.importance(Floats::load(importance_ + i));
      const Floats square = x * x;
      const Floats root = sqrt(w);
      fourth += root * square * square;
      second += w * square;
      sum += root;
    }
    const Floats mean = reduce_sum(fourth) / reduce_sum(sum);
    return {(sqrt(sqrt(mean)) * share_)[0], reduce_sum(second)};
  }

 private:
  const float* values_;
  const float* importance_;
  float share_;
  RowRange range_;
};

/// Sub-blocks whose scale is one of IQ4_NL's levels.
struct ScaleLevels {
  static constexpr float kLikelyScale = 0.8f / 37;

  static unsigned nearest(float multiple) noexcept { return nearest_code(kIq4Levels, multiple); }
  /// What they want in the mean becomes the middle of the levels, so that there are some for twice as much.
  static float of_row(float mean, float /*most*/) noexcept { return mean / 60; }
};

/// Sub-blocks whose scale is a multiple up to kMost; the row's largest is to have kTop.
template <int kMost, int kTop, int kThousandths>
struct ScaleMultiples {
  static constexpr float kLikelyScale = 0.001f * kThousandths / 37;

  static int nearest(float multiple) noexcept {
    return static_cast<int>(std::lround(std::min(multiple, static_cast<float>(kMost))));
  }
  static float of_row(float /*mean*/, float most) noexcept { return most / kTop; }
};

/// A row of one block. ScalesOf says how sub-blocks' scales are coded, as above.
template <typename BlockType, typename ScalesOf>
struct TrellisBlock : RowHead<float>, BlockType {
  using RowScale = float;

  void decode(float* out) const noexcept { BlockType::decode(this->d, out); }

  /// Foretells the scales of sub-blocks: what the codes are does not matter.
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    for (std::size_t r = 0; r < rows.rows; ++r, out += sizeof(TrellisBlock)) {
      TrellisBlock block{};
      std::memcpy(&block.d, out, sizeof block.d);
      const LikelyScales scales(rows.values + r * rows.row_elements, rows.importance,
                                rows.row_elements, ScalesOf::kLikelyScale);
      const float d = value_of_scale(block.d, scales.exponent());
      for (std::size_t b = 0; b < BlockType::kSubBlocks; ++b) {
        const float wanted = scales.of(b * LikelyScales::kWidth).likely;
        block.set_scale(b, ScalesOf::nearest(d > 0 ? wanted / d : 0));
      }
      std::memcpy(out, &block, sizeof block);
    }
  }

  /// FeedbackKernel::choose_row_scale
  static void choose_row_scale(const EncodeRows& row, std::byte* head) noexcept {
    const LikelyScales scales(row.values, row.importance, row.row_elements, ScalesOf::kLikelyScale);
    float sum = 0;
    float energy = 0;
    float most = 0;
    for (std::size_t i = 0; i < row.row_elements; i += LikelyScales::kWidth) {
      const LikelyScales::Scale scale = scales.of(i);
      sum += scale.likely * scale.energy;
      energy += scale.energy;
      most = std::max(most, scale.likely);
    }
    float stored = 0;
    if (!scales.empty() && energy > 0) {
      stored = row_scale_encoder::round_row_scale(ScalesOf::of_row(sum / energy, most),
                                                  scales.exponent(), float{});
    }
    std::memcpy(head, &stored, sizeof stored);
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
