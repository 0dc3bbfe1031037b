#pragma once

// Feedback for types whose groups are vectors of a generated codebook (codec/trellis), and whose
// sub-blocks have one of 16 levels for a scale. The rows of a group are searched one after the other,
// each with both signs of its scale.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "codec/feedback/kernel.h"
#include "codec/feedback/trellis_row.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "codec/trellis/tree.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// Writes the numbers of those that score within a margin of the best, and returns the end.
/// \param count   at least 1; registers of 16
/// \param get     get(i) is the i-th register's cell
/// \param number  number(i) is that register's: its first lane's is 16 times that
template <std::size_t kMost, typename Query, typename Get, typename Number>
std::uint16_t* list_best(const Query& query, std::size_t count, std::int32_t margin, const Get& get,
                         const Number& number, std::uint16_t* to) noexcept {
  Ints scores[kMost];
  Ints most(INT32_MIN);
  for (std::size_t i = 0; i < count; ++i) {
    scores[i] = query.score(get(i));
    most = max(most, scores[i]);
  }
  const Ints below(simd::most_of(most) - margin - 1);
  for (std::size_t i = 0; i < count; ++i) {
    to = simd::append_numbers(scores[i] > below, static_cast<unsigned>(16 * number(i)), to);
  }
  return to;
}

/// Margins, as multiples of what the integers' spread makes of a target's weights.
struct Reach {
  float branches;  ///< of a tree whose branches are not all looked into
  float cells;
};

/// The best vector of each lane, of the cells whose means score within a margin of the best, in the branches whose
/// means do.
template <TrellisCodebook kBook>
TrellisIndices best_vectors(const TrellisTree<kBook>& tree, const TrellisQuery<kBook.group>& query,
                            const Reach& reach, float spread) noexcept {
  using Tree = TrellisTree<kBook>;
  constexpr std::size_t kBranches = Tree::kBranches;
  const auto margin = [spread](float share) noexcept {
    return static_cast<std::int32_t>(share * spread);
  };
  const auto branch = [&](std::size_t i) noexcept -> const auto& {
    return tree.branch(i);
  };
  const auto itself = [](std::size_t i) noexcept { return i; };
  std::uint16_t cells[16 * kBranches + 16];
  const std::uint16_t* end;
  if constexpr (Tree::kBranchesAreRoots) {
    end = list_best<kBranches>(query, kBranches, margin(reach.cells), branch, itself, cells);
  } else {
    std::uint16_t branches[kBranches + 16];
    const auto root = [&](std::size_t i) noexcept -> const auto& {
      return tree.root(i);
    };
    const auto count = static_cast<std::size_t>(list_best<Tree::kRoots>(query, Tree::kRoots,
                                                                        margin(reach.branches),
                                                                        root, itself, branches) -
                                                branches);
    end = list_best<kBranches>(
        query, count, margin(reach.cells),
        [&](std::size_t i) noexcept -> const auto& { return tree.branch(branches[i]); },
        [&](std::size_t i) noexcept { return branches[i]; }, cells);
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

/// A code of a scale is its level's number. Format has
///   Block, kType, kBook  the plain block; its number and codebook
///   kReach               of searches
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
      const TrellisTree<kBook>& tree = TrellisTree<kBook>::get();
      const TrellisQueries<kGroup> queries(target, metric_, scale);
      std::uint32_t index[kRows];
      for (std::size_t row = 0; row < kRows; ++row) {
        const TrellisIndices best =
            best_vectors(tree, queries.query(row), Format::kReach, queries.spread(row));
        index[row] = best[place_of_min(cost(target, row, best, scale[row]))];
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
