#pragma once

// The encoder of IQ1_S_R4 and IQ1_M_R4: IQ1_S's and IQ1_M's codes, where a row has one scale d, and
// blocks of 32 columns nothing but multiples of it.
//
// A row is walked in tiles of 256 columns, of which the last may be filled up with zeros that weigh
// next to nothing, so that each is searched as a super-block is (i_quants/iq1_encoder.h):
//
// 1. Codes of up to 16 tiles, evenly spread, are searched at a few scales around the likely ones, and
//    foretell errors at any scale: of many values for d the best is taken, and refitted by least
//    squares for the multiples and codes that it leads to.
// 2. At that d each sub-block of the row takes its best multiple, codes are searched again at exactly
//    that scale, and the best of all that was found is kept.
// 3. What is stored is the least-squares d of these codes, corrected for its shrinkage
//    (codec/bias_correction.h), if under the importance alone it is better than zeros, or else the best
//    one under that.
//
// Errors are weighed as there, but with means over the row.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/i_quants/iq1_encoder.h"
#include "codec/weighting.h"

namespace sluice::inline SLUICE_ISA::iq1 {

/// A row, and what makes units of its values and importance.
struct Row {
  const float* values;
  const float* importance;  ///< null: none is known
  std::size_t elements;     ///< a multiple of 32
  RowRange range;
  float sigma2 = 0;
  float share = 0;  ///< see Importance

  Row(const float* row, const float* known, std::size_t count) noexcept
      : values(row), importance(known), elements(count), range(row_range(row, known, count)) {
    Floats squares = 0;
    Floats sum = 0;
    for (std::size_t i = 0; i < elements; i += Floats::kLanes) {
      const Floats x = value(i);
      squares += x * x;
      if (range.important) sum += range.importance(Floats::load(importance + i));
    }
    const auto n = static_cast<float>(elements);
    sigma2 = kSigma2 * reduce_sum(squares) / n;
    share = kMeanShare * reduce_sum(sum) / n;
  }

  bool empty() const noexcept { return !(range.largest[0] > 0); }
  std::size_t tiles() const noexcept { return (elements + kElements - 1) / kElements; }

  /// The tile that begins at column `first`, but for its unit.
  void load(std::size_t first, SuperBlock& tile, Importance& q) const noexcept {
    alignas(64) float x_of[kElements] = {};
    alignas(64) float q_of[kElements] = {};
    const std::size_t count = elements - first < kElements ? elements - first : kElements;
    for (std::size_t i = 0; i < count; i += Floats::kLanes) {
      value(first + i).store(x_of + i);
      (range.important ? range.importance(Floats::load(importance + first + i)) : Floats(1))
          .store(q_of + i);
    }
    turn(x_of, tile.groups.x);
    turn(q_of, q.q);
    q.share = share;
    weigh(q, sigma2, tile);
  }

 private:
  /// Columns of no importance may hold anything: there is no more than the others have.
  Floats value(std::size_t i) const noexcept {
    return range.values(max(min(Floats::load(values + i), range.largest), -range.largest));
  }
};

/// What is found for a tile: at a few scales around the likely ones, and in one place more at the scale
/// that is taken.
template <typename Type, typename Settings>
using FoundInTile = Found<Type, Settings::kFirstScales.size() + 1>;

template <typename Type, typename Settings>
void search_first(const SuperBlock& tile, FoundInTile<Type, Settings>& found) noexcept {
  Floats likely = tile.likely_scale;
  if constexpr (Type::kSubBlock == 32) likely = (likely + swap_neighbours(likely)) * 0.5f;
  for (std::size_t n = 0; n < Settings::kFirstScales.size(); ++n) {
    search_into<Settings::kSets>(tile.groups, likely * Settings::kFirstScales[n], found, n);
  }
}

/// The best multiples of d, and codes at them, after search_first().
template <typename Type, typename Settings>
Solution search_at(const SuperBlock& tile, float d, FoundInTile<Type, Settings>& found) noexcept {
  constexpr std::size_t kFirst = Settings::kFirstScales.size();
  search_into<Settings::kSets>(tile.groups, choose_multiples<Type, kFirst>(found, d) * d, found,
                               kFirst);
  return solve<Type, kFirst + 1>(found, d);
}

/// Codes and multiples of a tile's values, the largest of which is about 1, at scale d.
/// \param q  [kElements] their importance, likewise
template <typename Type, typename Settings>
Solution encode_at(const float* x, const float* q, float d) noexcept {
  constexpr auto kCount = static_cast<float>(kElements);
  Floats squares = 0;
  Floats sum = 0;
  for (std::size_t i = 0; i < kElements; i += Floats::kLanes) {
    squares += Floats::load(x + i) * Floats::load(x + i);
    sum += Floats::load(q + i);
  }
  SuperBlock tile;
  Importance importance;
  turn(x, tile.groups.x);
  turn(q, importance.q);
  importance.share = kMeanShare * reduce_sum(sum) / kCount;
  weigh(importance, kSigma2 * reduce_sum(squares) / kCount, tile);
  FoundInTile<Type, Settings> found;
  search_first<Type, Settings>(tile, found);
  return search_at<Type, Settings>(tile, d, found);
}

/// Searches one row after the other.
template <typename Type, typename Settings>
class RowSearch {
 public:
  explicit RowSearch(float bias_correction) noexcept : bias_correction_(bias_correction) {}

  /// The scale whose multiples come nearest to what a row's sub-blocks want; 0 if zeros are as good.
  float best_scale(const Row& row) noexcept {
    if (row.empty()) return 0;
    search_some(row);
    float wanted = choose_d();
    for (int refit = 0; refit < Settings::kRefits && wanted > 0; ++refit) wanted = refitted(wanted);
    return wanted > 0 ? wanted : 0;
  }

  /// \param put  put(first, solution) stores the codes of the tile that begins at that column
  /// \return the scale to store, an fp16
  template <typename Put>
  std::uint16_t encode(const Row& row, const Put& put) noexcept {
    const float wanted = best_scale(row);
    if (wanted == 0) return 0;
    const int exponent = row.range.values.exponent[0];
    const std::uint16_t chosen = round_scale(wanted, exponent);
    const float d = value_of_half(chosen, exponent);
    Sums sums;
    for (std::size_t i = 0; i < row.tiles(); ++i) {
      put(i * kElements, encode_tile(row, i, d, sums));
    }
    const std::uint16_t stored = sums.gain.first_positive(
        {round_scale(sums.corrected(bias_correction_), exponent), chosen}, exponent);
    // Where few columns have all the importance, what the others want is too much for these.
    if (stored != 0) return stored;
    const std::uint16_t best = round_scale(sums.gain.best_scale(), exponent);
    return sums.gain.positive(value_of_half(best, exponent)) ? best : std::uint16_t{0};
  }

 private:
  static constexpr std::size_t kFirst = Settings::kFirstScales.size();
  static constexpr std::size_t kMost = 16;  // tiles that are kept
  using Tile = FoundInTile<Type, Settings>;

  /// Sums over a row's weights x, which are y at scale 1.
  struct Sums {
    double xx = 0;
    double xy = 0;
    double yy = 0;
    GainOverZeros gain;

    float corrected(float bias_correction) const noexcept {
      const auto least_squares = static_cast<float>(xy / yy);
      return corrected_scale(least_squares, static_cast<float>(xx), static_cast<float>(xy),
                             bias_correction);
    }
  };

  void search_some(const Row& row) noexcept {
    stride_ = (row.tiles() + kMost - 1) / kMost;
    count_ = 0;
    for (std::size_t i = 0; i < row.tiles(); i += stride_) {
      SuperBlock tile;
      Importance importance;
      row.load(i * kElements, tile, importance);
      search_first<Type, Settings>(tile, kept_[count_++]);
    }
  }

  /// Of what is kept the scale that looks best; 0 if nothing is better than zeros. The strongest
  /// sub-block gets the last multiple, or one inside or beyond it: factors from kLowest on, each
  /// so much larger than the one before.
  float choose_d() const noexcept {
    constexpr std::size_t kTrials = 32;
    constexpr float kLowest = 0.3f;
    constexpr float kStep = 1.05f;
    constexpr std::size_t kParabolas = Tile::kShifts * kFirst;
    Parabola parabolas[kMost][kParabolas];
    float strongest = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      foretell<Type, kFirst>(kept_[i], parabolas[i]);
      const float of_tile = strongest_scale(parabolas[i]);
      strongest = strongest < of_tile ? of_tile : strongest;
    }
    if (strongest == 0) return 0;
    float factor[kTrials];
    float next = kLowest * strongest / Type::kMultiples.last();
    for (float& f : factor) {
      f = next;
      next *= kStep;
    }
    float least = 0;
    float best = 0;
    for (std::size_t first = 0; first < kTrials; first += Floats::kLanes) {
      const Floats d = Floats::load(factor + first);
      const auto cost = cost_of_multiples<Type>(d);
      Floats errors = 0;
      for (std::size_t i = 0; i < count_; ++i) {
        for (std::size_t b = 0; b < kGroups / 2; b += Type::kSubBlock / 16) {
          Floats error = 0x1p120f;
          for (const Parabola& p : parabolas[i]) {
            error = min(error, cost(p.scale[b], p.yy[b]) - p.gain[b]);
          }
          errors += error;
        }
      }
      const std::size_t place = place_of_min(errors);
      if (errors[place] < least) {
        least = errors[place];
        best = d[place];
      }
    }
    return best;
  }

  /// That of least squares, for what d leads to; 0 if zeros are better.
  float refitted(float d) const noexcept {
    double xy = 0;
    double yy = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const Solution solution = solve<Type, kFirst>(kept_[i], d);
      xy += double{solution.xy};
      yy += double{solution.yy};
    }
    return xy > 0 ? static_cast<float>(xy / yy) : 0.0f;
  }

  Solution encode_tile(const Row& row, std::size_t i, float d, Sums& sums) noexcept {
    SuperBlock tile;
    Importance importance;
    row.load(i * kElements, tile, importance);
    if (stride_ > 1) search_first<Type, Settings>(tile, kept_[0]);
    const Solution solution = search_at<Type, Settings>(tile, d, kept_[stride_ > 1 ? 0 : i]);
    const GroupFloats multiple = join(solution.multiple, solution.multiple);
    GroupFloats xy = 0;
    for_each_code(solution.code, [&](std::size_t j, const GroupFloats& code) noexcept {
      const GroupFloats y = code * multiple;
      xy += tile.wx[j] * y;
      for (std::size_t h = 0; h < 2; ++h) {
        sums.gain.add(half(tile.groups.x[j], h), half(importance.q[j], h), half(y, h));
      }
    });
    sums.xx += double{tile.xx};
    sums.xy += double{reduce_sum(pair_sum(xy))};
    sums.yy += double{solution.yy};
    return solution;
  }

  float bias_correction_;
  std::size_t stride_ = 1;
  std::size_t count_ = 0;
  Tile kept_[kMost];
};

template <typename Type, typename Settings>
void encode_groups(const EncodeRows& rows, std::byte* out) noexcept {
  using Block = typename Type::Block;
  constexpr std::size_t kRows = Block::kRows;
  constexpr std::size_t kBlock = Block::kWeights;
  RowSearch<Type, Settings> search(rows.bias_correction);
  const std::size_t columns = rows.row_elements;
  const std::size_t size =
      kRows * sizeof(typename Block::RowScale) + columns / kBlock * sizeof(Block);
  std::memset(out, 0, rows.rows / kRows * size);
  for (std::size_t r = 0; r < rows.rows; ++r) {
    std::byte* const group = out + r / kRows * size;
    const auto in_group = static_cast<unsigned>(r % kRows);
    std::byte* const blocks = group + kRows * sizeof(typename Block::RowScale);
    const auto put = [&](std::size_t first, const Solution& solution) noexcept {
      for (std::size_t i = 0; i < kElements && first + i < columns; i += kBlock) {
        std::byte* const at = blocks + (first + i) / kBlock * sizeof(Block);
        Block block;
        std::memcpy(&block, at, sizeof block);
        Type::put(solution, i / kBlock, in_group, block);
        std::memcpy(at, &block, sizeof block);
      }
    };
    const std::uint16_t d =
        search.encode(Row(rows.values + r * columns, rows.importance, columns), put);
    std::memcpy(group + in_group * sizeof d, &d, sizeof d);
  }
}

/// Encodes groups of rows. `Type` has the Block, of 32 columns; kSubBlock, kSharedShift, Best and Fast
/// as those of iq1_encoder.h; kMultiples; and
///   put(solution, b, row, block)  which stores block b of a tile in that row
template <typename Type>
void encode_interleaved(const EncodeRows& rows, std::byte* out) noexcept {
  if (rows.effort == Effort::fast) {
    encode_groups<Type, typename Type::Fast>(rows, out);
  } else {
    encode_groups<Type, typename Type::Best>(rows, out);
  }
}

}  // namespace sluice::inline SLUICE_ISA::iq1
