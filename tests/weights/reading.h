#pragma once

// Reads weights in bands as the program does, and holds every band against what can be found by
// looking at one element after the other.

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <random>

#include "checkpoint/evaluate.h"
#include "touched.h"
#include "weights/decode.h"

namespace sluice::weights {

using checkpoint::Evaluator;
using checkpoint::Fixture;
using checkpoint::Model;

inline bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

/// Tensors of a model that are wanted, and what they must turn out to be.
class Reading {
 public:
  Reading(const Fixture& fixture, const Model& model, std::vector<Wanted> wanted)
      : fixture_(fixture), weights_(model.weights), wanted_(std::move(wanted)) {
    const Evaluator evaluator(fixture, model);
    for (const Wanted& tensor : wanted_) {
      expected_.push_back(evaluator.weights(*tensor.source));
      for (const View& view : tensor.source->views) {
        if (touched_.contains(view.stored)) continue;
        touched_.try_emplace(view.stored, weights_, wanted_, view.stored);
      }
    }
    // What a band without room comes to are the places where there may be a cut.
    each_band(0, [&](const Band& band) {
      const Piece& piece = band.pieces.at(0);
      if (piece.first_column + piece.columns < wanted_[piece.wanted].row_elements) return;
      ends_[band.stored].push_back(band.first_element + band.elements);
    });
  }

  const std::vector<Wanted>& wanted() const { return wanted_; }

  template <class Use>
  void each_band(std::uint64_t most_bytes, const Use& use) const {
    BandCursor cursor(weights_, wanted_, most_bytes);
    while (const std::optional<Band> band = cursor.next()) use(*band);
  }

  /// Bytes of a band and of what becomes of it.
  std::uint64_t cost(const Band& band) const {
    std::uint64_t bytes = band.range.size;
    for (const Piece& piece : band.pieces) {
      if (!band.matrix) bytes += piece.rows * wanted_[piece.wanted].row_bytes;
    }
    return bytes;
  }

  /// Expects all weights of all wanted tensors, each once, of bands that hold no more than they may.
  void expect_whole(std::uint64_t most_bytes, std::mt19937& random) const {
    std::vector<std::vector<char>> seen;
    for (const auto& weights : expected_) seen.emplace_back(weights.size());
    const std::uint64_t smallest = BandCursor::smallest_bytes(weights_, wanted_);
    const Band* previous = nullptr;
    Band last;
    std::uint64_t total = 0;
    each_band(most_bytes, [&](const Band& band) {
      SCOPED_TRACE("band of stored tensor " + std::to_string(band.stored));
      total += band.range.size;
      if (band.stored != Band::kNone) {
        expect_range(band, previous);
        expect_cuts(band, most_bytes);
        expect_factors(band);
        EXPECT_LE(cost(band), std::max(most_bytes, smallest));
        last = band;
        previous = &last;
      }
      EXPECT_FALSE(band.pieces.empty());
      for (const Piece& piece : band.pieces) expect_piece(band, piece, seen[piece.wanted], random);
    });
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(std::ranges::count(seen[i], 1), std::ssize(seen[i])) << "of tensor " << i;
    }
    EXPECT_EQ(total, BandCursor::total_bytes(weights_, wanted_));
  }

  /// Expects the bands of some rows of the only tensor to be these rows.
  void expect_rows(std::uint64_t first_row, std::uint64_t rows, std::mt19937& random) const {
    std::vector<char> seen(expected_.at(0).size());
    std::uint64_t next = first_row;
    for (const Band& band : bands_of_rows(weights_, wanted_[0], first_row, rows)) {
      ASSERT_EQ(band.pieces.size(), 1u);
      const Piece& piece = band.pieces[0];
      EXPECT_EQ(piece.first_row, next);
      EXPECT_EQ(piece.first_column, 0u);
      EXPECT_EQ(piece.columns, wanted_[0].row_elements);
      next += piece.rows;
      if (band.stored != Band::kNone) {
        expect_range(band, nullptr);
        expect_factors(band);
      }
      expect_piece(band, piece, seen, random);
    }
    EXPECT_EQ(next, first_row + rows);
  }

  /// Expects a piece's weights, and notes which they are.
  void expect_piece(const Band& band, const Piece& piece, std::vector<char>& seen,
                    std::mt19937& random) const {
    const Wanted& tensor = wanted_[piece.wanted];
    ASSERT_EQ(elements_of(piece.first, piece.axes).size(), piece.elements());
    ASSERT_LE(piece.first_column + piece.columns, tensor.row_elements);
    ASSERT_LE((piece.first_row + piece.rows) * tensor.row_elements, seen.size());
    const std::vector<float> decoded = decode(band, piece, random);
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < piece.elements(); ++i) {
      const std::uint64_t index = (piece.first_row + i / piece.columns) * tensor.row_elements +
                                  piece.first_column + i % piece.columns;
      wrong += same(decoded[i], expected_[piece.wanted][index]) ? 0 : 1;
      ++seen[index];
    }
    EXPECT_EQ(wrong, 0u) << "of tensor " << piece.wanted;
  }

  BandBytes bytes_of(const Band& band) const {
    if (band.stored == Band::kNone) return {band, {}, {}};
    return {band, at(band.range), band.scales ? at(*band.scales) : std::span<const std::byte>{}};
  }

 private:
  std::span<const std::byte> at(const io::ReadRange& range) const {
    return fixture_.at({range.part, range.offset, range.size});
  }

  std::vector<float> decode(const Band& band, const Piece& piece, std::mt19937& random) const {
    std::vector<float> decoded(piece.elements());
    for (std::uint64_t row = 0; row < piece.rows;) {
      const std::uint64_t rows = std::min<std::uint64_t>(piece.rows - row, 1 + random() % 40);
      decode_rows(weights_, *wanted_[piece.wanted].source, bytes_of(band), piece, row, rows,
                  best_isa(), decoded.data() + row * piece.columns);
      row += rows;
    }
    return decoded;
  }

  void expect_range(const Band& band, const Band* previous) const {
    const Stored& stored = weights_.stored.at(band.stored);
    const Place& place = stored.place;
    EXPECT_EQ(band.range.part, place.part);
    EXPECT_GE(band.range.offset, place.offset);
    EXPECT_LE(band.range.offset + band.range.size, place.offset + place.size);
    EXPECT_GT(band.range.size, 0u);
    if (previous != nullptr && previous->range.part == band.range.part) {
      EXPECT_LE(previous->range.offset + previous->range.size, band.range.offset);
    } else if (previous != nullptr) {
      EXPECT_LT(previous->range.part, band.range.part);
    }
    // Reading begins and ends with rows that are wanted.
    if (previous != nullptr && previous->stored == band.stored &&
        previous->first_element + previous->elements == band.first_element) {
      return;
    }
    EXPECT_TRUE(
        touched_.at(band.stored).any(band.first_element, stored.joint_rows() * stored.columns()));
    if (previous == nullptr) return;
    const std::uint64_t end = previous->first_element + previous->elements;
    const Stored& before = weights_.stored[previous->stored];
    const std::uint64_t row = before.joint_rows() * before.columns();
    EXPECT_TRUE(touched_.at(previous->stored).any(end - std::min(end, row), row));
  }

  /// Ends and what lies between: only whole rows, as many as there is room for, and no more of what
  /// nobody wants than is read in passing.
  void expect_cuts(const Band& band, std::uint64_t most_bytes) const {
    const Touched& touched = touched_.at(band.stored);
    const std::uint64_t begin = band.first_element;
    const std::uint64_t end = begin + band.elements;
    std::uint64_t gap = 0;
    std::uint64_t longest_gap = 0;
    for (std::uint64_t i = begin; i < end; ++i) {
      gap = touched.at(i) ? 0 : gap + 1;
      longest_gap = std::max(longest_gap, gap);
    }
    EXPECT_LT(longest_gap * band.range.size / band.elements, kReadThrough);
    if (band.matrix) return;
    EXPECT_TRUE(touched.is_cut(begin) && touched.is_cut(end));
    const auto& ends = ends_.at(band.stored);
    const auto next = std::ranges::upper_bound(ends, end);
    bool is_last = next == ends.end();
    for (std::uint64_t i = end; !is_last && i < *next && i < end + 1; ++i) is_last = !touched.at(i);
    if (is_last) return;
    const std::uint64_t more = band.range.size * (*next - begin) / band.elements;
    EXPECT_GT(more + touched.result_bytes(begin, *next), most_bytes) << "there was room for more";
  }

  void expect_factors(const Band& band) const {
    const Stored& stored = weights_.stored[band.stored];
    ASSERT_EQ(band.scales.has_value(), stored.scales.has_value());
    if (!stored.scales) return;
    const Scales& scales = *stored.scales;
    std::uint64_t first = ~std::uint64_t{0};
    std::uint64_t last = 0;
    for (std::uint64_t i = band.first_element; i < band.first_element + band.elements; ++i) {
      const std::uint64_t row = i / stored.columns() % stored.rows();
      const std::uint64_t index = i / stored.columns() / stored.rows() * scales.matrix +
                                  row / scales.block_rows * scales.columns +
                                  i % stored.columns() / scales.block_columns;
      first = std::min(first, index);
      last = std::max(last, index);
    }
    const std::uint64_t size = scales.place.size / factors_of(stored);
    EXPECT_EQ(band.first_scale, first);
    EXPECT_EQ(band.scales->part, scales.place.part);
    EXPECT_EQ(band.scales->offset, scales.place.offset + first * size);
    EXPECT_EQ(band.scales->size, (last + 1 - first) * size);
  }

  static std::uint64_t factors_of(const Stored& stored) {
    const Scales& scales = *stored.scales;
    const std::uint64_t matrices = stored.elements() / stored.columns() / stored.rows();
    return (matrices - 1) * scales.matrix +
           ((stored.rows() - 1) / scales.block_rows + 1) * scales.columns;
  }

  const Fixture& fixture_;
  const Weights& weights_;
  const std::vector<Wanted> wanted_;
  std::vector<std::vector<float>> expected_;
  std::map<std::size_t, Touched> touched_;
  std::map<std::size_t, std::vector<std::uint64_t>> ends_;
};

}  // namespace sluice::weights
