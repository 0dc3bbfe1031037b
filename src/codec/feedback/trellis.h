#pragma once

// Feedback for types whose groups are vectors of a generated codebook (codec/trellis), and whose
// sub-blocks have one of 16 levels for a scale. The rows of a group are searched one after the other,
// each with both signs of its scale.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "codec/feedback/kernel.h"
#include "codec/feedback/trellis_row.h"
#include "codec/trellis/cells.h"
#include "codec/trellis/near.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// A code of a scale is its level's number. Format has
///   Block, kType, kBook  the plain block; its number and codebook
///   kCells               how many cells of a region are searched
///   kOfLane              how many vectors of each lane of cells are compared as floats
template <typename Format>
struct FeedbackTrellis {
  using Block = TrellisBlock<typename Format::Block, ScaleLevels>;
  static constexpr TrellisCodebook kBook = Format::kBook;
  static constexpr TensorType kType = Format::kType;
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
      using Cells = TrellisCells<kBook>;
      const Cells& cells = Cells::get();
      TrellisNear<kBook> near(cells, target, scale, Format::kCells);
      const TrellisQueries<kGroup> queries(target, metric_, scale);
      std::uint32_t index[kRows];
      using Finds = TrellisFinds<kBook, Format::kOfLane>;
      for (std::size_t row = 0; row < kRows; row += Finds::kTogether) {
        const Finds finds(cells, queries, near, row);
        for (std::size_t k = 0; k < Finds::kTogether; ++k) {
          float least = 0x1p100f;
          for (std::size_t rank = 0; rank < Format::kOfLane; ++rank) {
            const TrellisIndices best = finds.best(k, rank);
            const Floats costs = cost(target, row + k, best, scale[row + k]);
            const std::size_t place = place_of_min(costs);
            if (rank > 0 && costs[place] >= least) continue;
            least = costs[place];
            index[row + k] = best[place];
          }
        }
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
