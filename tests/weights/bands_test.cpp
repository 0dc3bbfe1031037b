// How each kind of view is cut, and that views of any kind, however they lie in one another's way,
// come to all of their weights.

#include <gtest/gtest-spi.h>

#include "made.h"
#include "support/seed.h"

namespace sluice::weights {
namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 40;

/// Stored rows of each band that is as small as can be.
std::vector<std::uint64_t> smallest_bands(const Made& made, std::uint64_t column_block = 0) {
  std::vector<std::uint64_t> rows;
  made.reading(0, column_block).each_band(0, [&](const Band& band) {
    rows.push_back(band.elements / made.model.weights.stored[band.stored].columns());
  });
  return rows;
}

void expect_whole(const Made& made, std::mt19937& random) {
  for (const std::uint64_t column_block : {0, 4, 32}) {
    const Reading reading = made.reading(3, column_block);
    for (const std::uint64_t most :
         {std::uint64_t{0}, std::uint64_t{100}, std::uint64_t{999}, kAll}) {
      SCOPED_TRACE(std::to_string(column_block) + " columns, at most " + std::to_string(most));
      reading.expect_whole(most, random);
    }
  }
}

using Rows = std::vector<std::uint64_t>;

TEST(Bands, RowsAreCutAnywhere) {
  Made made;
  made.make(8, {{made.store({5, 8}), 0, {{5, 8}, {8, 1}}}});
  EXPECT_EQ(smallest_bands(made), Rows({1, 1, 1, 1, 1}));
  expect_whole(made, made.random());
}

TEST(Bands, HeadsOfRotaryPairsStayTogether) {
  Made made;
  made.make(8, {{made.store({12, 8}), 0, {{3, 32}, {2, 8}, {2, 16}, {8, 1}}}});
  EXPECT_EQ(smallest_bands(made), Rows({4, 4, 4}));
  expect_whole(made, made.random());
}

TEST(Bands, RowsByTurnsAreCutAnywhereAndReadOnce) {
  Made made;
  const std::size_t stored = made.store({2, 6, 8});
  for (const std::uint64_t up : {0, 1}) {
    made.make(8, {{stored, up * 8, {{2, 48}, {3, 16}, {8, 1}}}});
  }
  EXPECT_EQ(smallest_bands(made), Rows(12, 1));
  expect_whole(made, made.random());
}

TEST(Bands, OfRowsByTurnsTheOthersAreReadInPassing) {
  Made made;
  made.make(8, {{made.store({6, 8}), 8, {{3, 16}, {8, 1}}}});
  EXPECT_EQ(smallest_bands(made), Rows({1, 2, 2}));
  expect_whole(made, made.random());
}

TEST(Bands, WhatIsFarFromTheNextIsLeftOut) {
  Made made;  // two slices of three, with the one between them as long as is read in passing
  const std::uint64_t rows = kReadThrough / 16;
  made.make(8, {{made.store({3 * rows, 8}), 0, {{2, 2 * rows * 8}, {rows * 8, 1}}}});
  std::vector<std::uint64_t> begins;
  made.reading(0).each_band(kAll, [&](const Band& band) { begins.push_back(band.first_element); });
  EXPECT_EQ(begins, std::vector<std::uint64_t>({0, 2 * rows * 8}));
  EXPECT_EQ(BandCursor::total_bytes(made.model.weights, made.wanted(0)), 2 * kReadThrough);
}

TEST(Bands, KeysTransposedAndValuesOfEachHead) {
  Made made;  // 3 heads of 8 keys and 2 values, with 4 columns
  const std::size_t stored = made.store({30, 4});
  const Axis head = {3, 40};
  made.make(8, {{stored, 0, {head, {4, 1}, {8, 4}}}});
  made.make(4, {{stored, 32, {head, {8, 1}}}});
  EXPECT_EQ(smallest_bands(made), Rows({8, 1, 1, 8, 1, 1, 8, 1, 1}));
  EXPECT_EQ(smallest_bands(made, 4), Rows({4, 4, 1, 1, 4, 4, 1, 1, 4, 4, 1, 1}));
  expect_whole(made, made.random());
}

TEST(Bands, MatricesInColumnsEndRagged) {
  Made made;  // gates and ups of two experts, [2, 70, 2 x 5]
  const std::size_t stored = made.store({2, 70, 10}, Coding::f8_e4m3);
  made.scale(Scales::Type::f32, 16, 4);
  for (const std::uint64_t up : {0, 1}) {
    made.make(70, {{stored, up * 5, {{2, 700}, {5, 1}, {70, 10}}}});
  }
  EXPECT_EQ(smallest_bands(made), Rows({70, 70}));
  EXPECT_EQ(smallest_bands(made, 32), Rows({32, 32, 6, 32, 32, 6}));
  EXPECT_EQ(BandCursor::smallest_bytes(made.model.weights, made.wanted(7, 32)), 320u);
  EXPECT_EQ(BandCursor::matrix_bytes(made.model.weights, made.wanted(7, 32)), 2 * 5 * 7u);
  EXPECT_EQ(BandCursor::matrix_bytes(made.model.weights, made.wanted(7)), 0u);
  std::vector<Matrix> matrices;
  made.reading(7, 32).each_band(650, [&](const Band& band) {
    matrices.push_back(band.matrix.value());
    EXPECT_EQ(band.pieces.size(), 2u);
  });
  ASSERT_EQ(matrices.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(matrices[i].number, i / 2);
    EXPECT_EQ(matrices[i].bands, 2u);
    EXPECT_EQ(matrices[i].first, i % 2 == 0);
  }
  expect_whole(made, made.random());
}

TEST(Bands, ColumnsByTurnsOfTransposedMatrices) {
  Made made;
  const std::size_t stored = made.store({2, 40, 6});
  for (const std::uint64_t up : {0, 1}) {
    made.make(40, {{stored, up, {{2, 240}, {3, 2}, {40, 6}}}});
  }
  EXPECT_EQ(smallest_bands(made, 32), Rows({32, 8, 32, 8}));
  expect_whole(made, made.random());
}

TEST(Bands, PermutedBiasesAreOneBand) {
  Made made;
  made.make(12, {{made.store({12}), 0, {{3, 4}, {2, 1}, {2, 2}}}});
  EXPECT_EQ(smallest_bands(made), Rows({1}));
  expect_whole(made, made.random());
}

TEST(Bands, BiasesByTurns) {
  Made made;
  const std::size_t stored = made.store({3, 8}, Coding::typed, TensorType::f32);
  for (const std::uint64_t up : {0, 1}) made.make(4, {{stored, up, {{3, 8}, {4, 2}}}});
  EXPECT_EQ(smallest_bands(made), Rows({1, 1, 1}));
  expect_whole(made, made.random());
}

TEST(Bands, SeveralTensorsOfOneStoredAgreeOnTheCuts) {
  Made made;  // heads of 4 rows, heads of 6, and rows by pairs; then heads that begin in between
  const std::size_t stored = made.store({24, 2});
  made.make(2, {{stored, 0, {{6, 8}, {2, 2}, {2, 4}, {2, 1}}}});
  made.make(2, {{stored, 0, {{4, 12}, {3, 2}, {2, 6}, {2, 1}}}});
  made.make(2, {{stored, 0, {{24, 2}, {2, 1}}}});
  EXPECT_EQ(smallest_bands(made), Rows({12, 12}));
  expect_whole(made, made.random());
  made.make(2, {{stored, 2, {{5, 8}, {2, 2}, {2, 4}, {2, 1}}}});
  EXPECT_EQ(smallest_bands(made), Rows({24}));
  expect_whole(made, made.random());
}

TEST(Bands, SlicesOfOneStored) {
  Made made;  // heads of queries, keys and values, each regrouped, as Qwen3-Next has them
  const std::size_t stored = made.store({3 * 7, 4});
  const auto rows = [&](std::uint64_t first, std::uint64_t count) {
    return View{stored, first * 4, {{3, 28}, {count, 4}, {4, 1}}};
  };
  made.make(4, {rows(0, 2), rows(2, 2), rows(4, 1)});
  made.make(4, {rows(5, 2)});
  EXPECT_EQ(smallest_bands(made), Rows(21, 1));
  expect_whole(made, made.random());
}

TEST(Bands, RowsOfBlocksMayBeCutAtBlocksIfTheyAreOnlyMoved) {
  Made made;
  const std::size_t stored = made.store({3, 5, 64}, Coding::typed, TensorType::q8_0);
  made.make(64, {{stored, 0, {{15, 64}, {64, 1}}}});
  for (const std::uint64_t row : {64, 32}) {
    made.row_elements[0] = row;
    const std::vector<Wanted> wanted = made.wanted(0);
    BandCursor cursor(made.model.weights, wanted, 0);
    std::uint64_t elements = 0;
    while (const std::optional<Band> band = cursor.next()) {
      EXPECT_EQ(band->first_element, elements);
      EXPECT_EQ(band->elements, row);
      EXPECT_EQ(band->range.size, row / 32 * 34);
      EXPECT_TRUE(band->pieces.at(0).in_order());
      elements += row;
    }
    EXPECT_EQ(elements, 3u * 5 * 64);
  }
}

TEST(Bands, ValuesOfTheConfigurationComeFirst) {
  Made made;
  made.make(8, {{made.store({5, 8}), 0, {{5, 8}, {8, 1}}}});
  made.model.weights.sources.push_back({{}, Change::none, {1, 2, 3, 4}});
  made.row_elements.push_back(2);
  expect_whole(made, made.random());
  Reading reading = made.reading(0);
  bool first = true;
  reading.each_band(kAll, [&](const Band& band) {
    EXPECT_EQ(band.stored == Band::kNone, first);
    first = false;
  });
}

TEST(Bands, PackedRowsWithRoomInTheLastWord) {
  for (const Coding coding : {Coding::words4, Coding::words8}) {
    Made made;
    const std::size_t stored = made.store({6, 13}, coding);
    made.scale(Scales::Type::bf16, 1, 5);
    made.make(13, {{stored, 0, {{6, 13}, {13, 1}}}}, Change::add_one);
    made.make(6, {{stored, 0, {{13, 1}, {6, 13}}}});
    expect_whole(made, made.random());
  }
}

TEST(Bands, CodesOfTwoRowsInTheSameBytes) {
  Made made;  // gates and ups of three experts, [3, 64, 2 x 5], down whose columns are the blocks
  const std::size_t stored = made.store({3, 64, 10}, Coding::nvfp4_across);
  made.scale(Scales::Type::f8_e4m3, 16, 1);
  made.model.weights.stored[stored].scales->common = {0.3f, 7, 1e-3f};
  for (const std::uint64_t up : {0, 1}) {
    made.make(64, {{stored, up * 5, {{3, 640}, {5, 1}, {64, 10}}}});
  }
  EXPECT_EQ(smallest_bands(made), Rows({64, 64, 64}));
  EXPECT_EQ(smallest_bands(made, 16), Rows(12, 16));
  EXPECT_EQ(smallest_bands(made, 1), Rows(96, 2));
  EXPECT_EQ(BandCursor::smallest_bytes(made.model.weights, made.wanted(7, 32)), 160u);
  EXPECT_EQ(BandCursor::matrix_bytes(made.model.weights, made.wanted(7, 32)), 2 * 5 * 7u);
  expect_whole(made, made.random());
}

TEST(Bands, CodesOfTwoRowsThatAreNotTransposed) {
  Made made;
  const std::size_t stored = made.store({2, 32, 7}, Coding::nvfp4_across);
  made.scale(Scales::Type::f8_e4m3, 16, 1);
  made.model.weights.stored[stored].scales->common = {0.7f};
  made.make(7, {{stored, 7, {{31, 14}, {7, 1}}}});  // the second of each two
  made.make(7, {{stored, 3 * 7, {{50, 7}, {7, 1}}}});
  expect_whole(made, made.random());
}

TEST(Bands, FactorsWithSomethingInCommon) {
  for (const bool divided : {false, true}) {
    for (const std::vector<float>& common : {std::vector<float>{0.1f}, {3, 1e-5f, 0.7f}}) {
      Made made;
      const std::size_t stored = made.store({3, 6, 48}, Coding::nvfp4);
      made.scale(Scales::Type::f8_e4m3, 1, 16);
      made.model.weights.stored[stored].scales->common = common;
      made.model.weights.stored[stored].scales->divided = divided;
      made.make(48, {{stored, 0, {{18, 48}, {48, 1}}}});
      made.make(6, {{stored, 0, {{3, 288}, {48, 1}, {6, 48}}}});
      expect_whole(made, made.random());
    }
  }
}

TEST(Bands, AnyFactors) {
  for (const Scales::Type type : {Scales::Type::f32, Scales::Type::f16, Scales::Type::bf16,
                                  Scales::Type::e8m0, Scales::Type::f8_e4m3}) {
    for (const bool each_matrix : {false, true}) {
      for (const auto& [rows, columns] : {std::pair{7, 12}, {1, 12}, {3, 5}, {7, 4}}) {
        Made made;
        const std::size_t stored = made.store({3, 7, 12}, Coding::f8_e5m2);
        made.scale(type, rows, columns, each_matrix);
        made.make(12, {{stored, 0, {{21, 12}, {12, 1}}}});
        expect_whole(made, made.random());
      }
    }
  }
}

/// A view of all or of a slice of a stored tensor, with its axes in any order.
View any_view(Made& made, std::size_t stored) {
  std::vector<std::uint64_t> extents = made.model.weights.stored[stored].shape;
  View view{stored, 0, {}};
  std::uint64_t stride = 1;
  for (std::size_t i = extents.size(); i-- > 0;) {
    const std::uint64_t first = made.any(0, 2) == 0 ? made.any(0, extents[i] - 1) : 0;
    const std::uint64_t left = extents[i] - first;
    const std::uint64_t step = made.any(0, 3) == 0 ? made.any(1, left) : 1;
    view.first += first * stride;
    view.axes.insert(view.axes.begin(), {(left - 1) / step + 1, step * stride});
    stride *= extents[i];
  }
  if (made.any(0, 1) == 0) std::ranges::shuffle(view.axes, made.random());
  return view;
}

/// Two views of the halves of one, or of every other step of an axis.
std::pair<View, View> halves(const View& view, std::size_t axis, bool by_turns) {
  std::pair<View, View> result = {view, view};
  const std::uint64_t stride = view.axes[axis].stride;
  const std::uint64_t half = view.axes[axis].count / 2;
  result.second.first += by_turns ? stride : half * stride;
  for (View* const part : {&result.first, &result.second}) {
    part->axes[axis] = {half, by_turns ? 2 * stride : stride};
  }
  return result;
}

void make_with_any_rows(Made& made, const View& view) {
  std::uint64_t row = 1;
  for (std::size_t axis = made.any(0, view.axes.size() - 1); axis < view.axes.size(); ++axis) {
    row *= view.axes[axis].count;
  }
  made.make(row, {view}, static_cast<Change>(made.any(0, 2)));
}

/// What bands without room come to.
void expect_needs(const Made& made, std::uint64_t column_block) {
  const Reading reading = made.reading(3, column_block);
  std::uint64_t smallest = 0;
  reading.each_band(0,
                    [&](const Band& band) { smallest = std::max(smallest, reading.cost(band)); });
  EXPECT_EQ(BandCursor::smallest_bytes(made.model.weights, reading.wanted()), smallest);
}

TEST(Bands, AnyViewsOfAnyCoding) {
  const std::uint32_t seed = testing_support::random_seed();
  for (std::uint32_t round = 0; round < 300; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Made made(seed + round);
    for (std::uint64_t i = made.any(1, 3); i > 0; --i) {
      std::vector<std::uint64_t> shape;
      for (std::uint64_t k = made.any(1, 4); k > 0; --k) shape.push_back(made.any(1, 9));
      constexpr std::array kCodings = {Coding::typed, Coding::f8_e4m3,     Coding::f8_e5m2,
                                       Coding::int8,  Coding::words4,      Coding::words8,
                                       Coding::nvfp4, Coding::nvfp4_across};
      const Coding coding = kCodings[made.any(0, kCodings.size() - 1)];
      if (coding == Coding::nvfp4) shape.back() *= 2;
      if (coding == Coding::nvfp4_across) shape.insert(shape.end() - 1, 2 * made.any(1, 4));
      const std::size_t stored = made.store(shape, coding);
      if (made.any(0, 1) == 0) {
        made.scale(static_cast<Scales::Type>(made.any(0, 4)), made.any(1, 7), made.any(1, 7),
                   made.any(0, 1) == 0);
      }
      for (std::uint64_t k = made.any(0, 3); k > 0; --k) {
        const View view = any_view(made, stored);
        const std::size_t axis = made.any(0, view.axes.size() - 1);
        if (made.any(0, 1) == 0 || view.axes[axis].count < 2) {
          make_with_any_rows(made, view);
          continue;
        }
        const auto [first, second] = halves(view, axis, made.any(0, 1) == 0);
        make_with_any_rows(made, first);
        make_with_any_rows(made, second);
      }
    }
    expect_whole(made, made.random());
    for (const std::uint64_t column_block : {0, 4}) expect_needs(made, column_block);
    for (std::size_t i = 0; i < made.row_elements.size(); ++i) {
      const Reading reading(made.fixture, made.model, {made.wanted(0)[i]});
      const View& view = made.model.weights.sources[i].views[0];
      const std::uint64_t rows = elements_of(0, view.axes).size() / made.row_elements[i];
      const std::uint64_t first = made.any(0, rows - 1);
      reading.expect_rows(first, made.any(1, rows - first), made.random());
    }
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Bands, WhatIsWrongIsFound) {
  Made made;
  made.make(8, {{made.store({12, 8}), 0, {{3, 32}, {2, 8}, {2, 16}, {8, 1}}}});
  const Reading reading = made.reading(0);
  made.fixture.data[0][5] ^= 64;
  std::vector<char> seen(96);
  reading.each_band(kAll, [&](const Band& band) {
    EXPECT_NONFATAL_FAILURE(reading.expect_piece(band, band.pieces[0], seen, made.random()),
                            "of tensor 0");
  });
  const std::vector<Wanted> wanted = made.wanted(0);
  const Touched touched(made.model.weights, wanted, 0);
  EXPECT_TRUE(touched.is_cut(32));
  EXPECT_FALSE(touched.is_cut(16));
}

}  // namespace
}  // namespace sluice::weights
