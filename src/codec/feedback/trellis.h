#pragma once

// Feedback for types whose groups are vectors of a generated codebook (codec/trellis), and whose
// sub-blocks have one of 16 levels for a scale. The rows of a group are searched one after the other,
// each with both signs of its scale.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/feedback/kernel.h"
#include "codec/feedback/row_block.h"
#include "codec/i_quants/row_scale_encoder.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tree.h"
#include "codec/weighting.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// The best vector of each lane, of the cells whose means score within a margin of the best.
template <TrellisCodebook kBook>
TrellisIndices best_vectors(const TrellisTree<kBook>& tree, const TrellisQuery<kBook.group>& query,
                            std::int32_t margin) noexcept {
  constexpr std::size_t kBranches = TrellisTree<kBook>::kBranches;
  Ints means[kBranches];
  Ints most(INT32_MIN);
  for (std::size_t i = 0; i < kBranches; ++i) {
    means[i] = query.score(tree.branch(i));
    most = max(most, means[i]);
  }
  const Ints below(simd::most_of(most) - margin - 1);
  std::uint16_t cells[16 * kBranches + 16];
  std::uint16_t* end = cells;
  for (std::size_t i = 0; i < kBranches; ++i) {
    end = simd::append_numbers(means[i] > below, static_cast<unsigned>(16 * i), end);
  }
  Ints best(INT32_MIN);
  Ints place(0);
  for (const std::uint16_t* cell = cells; cell < end; ++cell) {
    const Ints score = query.score(tree.cell(*cell));
    place = select(score > best, Ints(*cell), place);
    best = max(best, score);
  }
  std::uint32_t indices[kRows];
  for (std::size_t lane = 0; lane < kRows; ++lane) {
    indices[lane] = tree.index(static_cast<std::size_t>(place[lane]), lane);
  }
  return TrellisIndices::load(indices);
}

/// The scales at which integers of a codebook's spread are likely to come nearest to sub-blocks of 32
/// weights. Errors of the largest weights are what a scale that is too small costs: so it is a share of
/// the fourth moment's root, tried for the plain encoder.
class LikelyScales {
 public:
  static constexpr std::size_t kWidth = 32;

  LikelyScales(const float* values, const float* importance, std::size_t count) noexcept
      : values_(values), importance_(importance), range_(row_range(values, importance, count)) {}

  bool empty() const noexcept { return !(range_.largest[0] > 0); }
  int exponent() const noexcept { return range_.values.exponent[0]; }

  struct Scale {
    float likely;  ///< in the row's units
    float energy;  ///< what errors of such a size cost
  };
  /// Of the sub-block that begins at `first`.
  Scale of(std::size_t first) const noexcept {
    constexpr float kShare = 0.8f / 37;
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
    return {(sqrt(sqrt(mean)) * kShare)[0], reduce_sum(second)};
  }

 private:
  const float* values_;
  const float* importance_;
  RowRange range_;
};

/// A row of one block.
template <typename BlockType>
struct TrellisBlock : RowHead<float>, BlockType {
  using RowScale = float;

  void decode(float* out) const noexcept { BlockType::decode(this->d, out); }

  /// Foretells the scales of sub-blocks: what the codes are does not matter.
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    for (std::size_t r = 0; r < rows.rows; ++r, out += sizeof(TrellisBlock)) {
      TrellisBlock block{};
      std::memcpy(&block.d, out, sizeof block.d);
      const LikelyScales scales(rows.values + r * rows.row_elements, rows.importance,
                                rows.row_elements);
      const float d = value_of_scale(block.d, scales.exponent());
      for (std::size_t b = 0; b < BlockType::kSubBlocks; ++b) {
        const float wanted = scales.of(b * LikelyScales::kWidth).likely;
        block.set_scale(b, nearest_code(kIq4Levels, d > 0 ? wanted / d : 0));
      }
      std::memcpy(out, &block, sizeof block);
    }
  }

  /// FeedbackKernel::choose_row_scale: what sub-blocks want in the mean becomes the middle of the levels,
  /// so that there are some for twice as much.
  static void choose_row_scale(const EncodeRows& row, std::byte* head) noexcept {
    constexpr float kMiddle = 60;
    const LikelyScales scales(row.values, row.importance, row.row_elements);
    float sum = 0;
    float energy = 0;
    for (std::size_t i = 0; i < row.row_elements; i += LikelyScales::kWidth) {
      const LikelyScales::Scale scale = scales.of(i);
      sum += scale.likely * scale.energy;
      energy += scale.energy;
    }
    float stored = 0;
    if (!scales.empty() && energy > 0) {
      stored =
          row_scale_encoder::round_row_scale(sum / (energy * kMiddle), scales.exponent(), float{});
    }
    std::memcpy(head, &stored, sizeof stored);
  }
};

/// What 16 rows want of a group, in bytes: a row's search takes its lanes.
template <std::size_t kGroup>
class TrellisTargets {
 public:
  using Query = TrellisQuery<kGroup>;

  /// \param scale  positive
  TrellisTargets(const Floats (&target)[kGroup], const float (&metric)[kGroup],
                 const Floats& scale) noexcept {
    constexpr float kMost = 64;  // of a byte
    constexpr float kHalfUnit = 0.5f * TrellisCell<kGroup>::kSquareUnit;
    constexpr float kVariance = 1369;  // of the integers
    Floats most = 0x1p-100f;
    Floats weights = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      most = max(most, max(scale * (metric[j] * kHalfUnit), abs(target[j] * metric[j])));
      weights += metric[j];
    }
    const Floats unit = kMost / most;
    for (std::size_t k = 0; k < Query::kWords; ++k) {
      Ints linear = 0;
      Ints square = 0;
      for (std::size_t j = 4; j-- > 0;) {
        const Floats weight = unit * metric[4 * k + j];
        linear = append_byte(linear, weight * target[4 * k + j]);
        square = append_byte(square, weight * scale * -kHalfUnit);
      }
      linear.store(linear_[k]);
      square.store(square_[k]);
    }
    (unit * scale * weights * (kVariance / kGroup)).store(spread_);
  }

  Query query(std::size_t row) const noexcept {
    Query query;
    for (std::size_t k = 0; k < Query::kWords; ++k) {
      query.linear[k] = linear_[k][row];
      query.square[k] = square_[k][row];
    }
    return query;
  }
  /// What the scores of vectors at random differ by, about.
  float spread(std::size_t row) const noexcept { return spread_[row]; }

 private:
  static SLUICE_INLINE Ints append_byte(const Ints& bytes, const Floats& number) noexcept {
    return simd::shift_left<8>(bytes) | (to_ints(round(number)) & 255);
  }

  std::int32_t linear_[Query::kWords][kRows];
  std::int32_t square_[Query::kWords][kRows];
  float spread_[kRows];
};

/// A code of a scale is its level's number. kReach is the margin of cells, in tenths of what their
/// vectors' scores spread.
template <typename BlockType, TensorType kNumber, TrellisCodebook kBook, int kReach>
struct FeedbackTrellis {
  using Block = TrellisBlock<BlockType>;
  static constexpr TensorType kType = kNumber;
  static constexpr std::size_t kSubBlock = Block::kWeights / Block::kSubBlocks;
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kTogether = 2;
  static constexpr std::size_t kAlternatives = 1;
  static constexpr std::size_t kFactors = 1;

  static float factor(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_factor(Block& block, std::size_t, float d) noexcept { block.d = d; }
  static unsigned scale(const Block& block, std::size_t b) noexcept { return block.level(b); }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale(b, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_index(g, code);
  }

  /// The level is tried, and its neighbours, and those of the other sign.
  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 2 : 6;
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    constexpr int kLevels = 16;
    const auto count = static_cast<int>(candidates(effort) / 2);
    return window(n % 2 == 0 ? plain : kLevels - 1 - plain, n / 2, count, count / 2, kLevels);
  }

  using Scale = Floats;
  static Scale scale_of(const Floats* factors, const Ints& code) noexcept {
    static constexpr Table kTable;
    return factors[0] * simd::look_up(kTable.level, code);
  }

  class Group {
   public:
    explicit Group(const float (&metric)[kGroup]) noexcept { std::copy_n(metric, kGroup, metric_); }

    void nearest(const Scale (&scale)[kTogether], const Floats (&target)[kTogether][kGroup],
                 Option<kGroup> (&options)[kAlternatives][kTogether]) const noexcept {
      for (std::size_t k = 0; k < kTogether; ++k) {
        const TrellisIndices found = search(scale[k], target[k]);
        options[0][k].code = simd::bits_of<Ints>(found);
        for_each_integer<kBook>(found, [&](std::size_t j, const Floats& c) noexcept {
          options[0][k].decoded[j] = scale[k] * c;
        });
      }
    }

   private:
    TrellisIndices search(const Scale& scale, const Floats (&target)[kGroup]) const noexcept {
      const TrellisTree<kBook>& tree = TrellisTree<kBook>::get();
      const Floats magnitude = max(abs(scale), 0x1p-100f);
      Floats wanted[kGroup];
      for (std::size_t j = 0; j < kGroup; ++j) {
        wanted[j] = select(scale < 0, -target[j], target[j]);
      }
      const TrellisTargets<kGroup> targets(wanted, metric_, magnitude);
      std::uint32_t index[kRows];
      for (std::size_t row = 0; row < kRows; ++row) {
        const auto margin = static_cast<std::int32_t>(0.1f * kReach * targets.spread(row));
        const TrellisIndices best = best_vectors(tree, targets.query(row), margin);
        index[row] = best[place_of_min(cost(wanted, row, best, magnitude[row]))];
      }
      return TrellisIndices::load(index);
    }

    /// Of 16 vectors for a row, less that of zeros.
    Floats cost(const Floats (&target)[kGroup], std::size_t row, const TrellisIndices& vectors,
                float scale) const noexcept {
      Floats xy = 0;
      Floats yy = 0;
      for_each_integer<kBook>(vectors, [&](std::size_t j, const Floats& c) noexcept {
        const Floats wc = c * metric_[j];
        xy += wc * target[j][row];
        yy += wc * c;
      });
      return (yy * scale - xy * 2.0f) * scale;
    }

    float metric_[kGroup];
  };

 private:
  struct Table {
    float level[16];
    constexpr Table() noexcept : level() {
      for (std::size_t i = 0; i < std::size(level); ++i) level[i] = kIq4Levels[i];
    }
  };
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
