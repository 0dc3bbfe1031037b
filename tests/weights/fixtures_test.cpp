// Every tiny checkpoint, read in bands of many sizes, has the weights that the evaluator finds.

#include "reading.h"
#include "support/seed.h"

namespace sluice::weights {
namespace {

class Checkpoints : public ::testing::TestWithParam<std::string> {
 protected:
  const Fixture fixture_{GetParam()};
  const Model model_ = checkpoint::read_checkpoint(fixture_.folder, {});
  std::mt19937 random_{testing_support::random_seed()};

  /// \param every  so many tensors, of which one is wanted
  std::vector<Wanted> wanted(std::uint64_t column_block, std::size_t every = 1) const {
    std::vector<Wanted> result;
    for (std::size_t i = 0; i < model_.weights.sources.size(); i += every) {
      const std::uint64_t row = model_.header.tensors[i].shape.at(0);
      result.push_back({&model_.weights.sources[i], row, row / 2 + 1, column_block});
    }
    return result;
  }
};

TEST_P(Checkpoints, BandsOfEachSizeAreAllWeights) {
  for (const std::uint64_t column_block : {0, 32, 256}) {
    const Reading reading(fixture_, model_, wanted(column_block));
    for (const std::uint64_t most : {0, 1 << 9, 1 << 12, 10'000, 1 << 20}) {
      SCOPED_TRACE(std::to_string(column_block) + " columns, at most " + std::to_string(most));
      reading.expect_whole(most, random_);
    }
  }
}

TEST_P(Checkpoints, WhatIsNotWantedIsLeftOut) {
  for (const std::size_t every : {2, 3, 7}) {
    const Reading reading(fixture_, model_, wanted(32, every));
    for (const std::uint64_t most : {0, 5'000, 1 << 20}) reading.expect_whole(most, random_);
  }
}

TEST_P(Checkpoints, NeedsAreThoseOfTheBands) {
  for (const std::uint64_t column_block : {0, 32, 256}) {
    const Reading reading(fixture_, model_, wanted(column_block));
    std::uint64_t smallest = 0;
    std::uint64_t matrix = 0;
    reading.each_band(0, [&](const Band& band) {
      smallest = std::max(smallest, reading.cost(band));
      if (!band.matrix) return;
      std::uint64_t rows = 0;
      for (const Piece& piece : band.pieces) {
        rows += piece.rows * reading.wanted()[piece.wanted].row_bytes;
      }
      matrix = std::max(matrix, rows);
    });
    EXPECT_EQ(BandCursor::smallest_bytes(model_.weights, reading.wanted()), smallest);
    EXPECT_EQ(BandCursor::matrix_bytes(model_.weights, reading.wanted()), matrix);
  }
}

TEST_P(Checkpoints, SomeRowsOfEachTensor) {
  for (const Wanted& tensor : wanted(0)) {
    const Reading reading(fixture_, model_, {tensor});
    std::uint64_t rows = tensor.source->values.size() / tensor.row_elements;
    for (const View& view : tensor.source->views) {
      rows += elements_of(view.first, view.axes).size() / tensor.row_elements;
    }
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t first = random_() % rows;
      reading.expect_rows(first, 1 + random_() % (rows - first), random_);
    }
    reading.expect_rows(0, rows, random_);
  }
}

TEST_P(Checkpoints, BlocksOfMxfp4AreMoved) {
  const Evaluator evaluator(fixture_, model_);
  for (std::size_t i = 0; i < model_.weights.sources.size(); ++i) {
    const gguf::Tensor& tensor = model_.header.tensors[i];
    if (tensor.type != TensorType::mxfp4) continue;
    const Source& source = model_.weights.sources[i];
    const Reading reading(fixture_, model_, {{&source, tensor.shape[0], 1}});
    const std::vector<std::byte> expected = evaluator.mxfp4_blocks(source);
    const std::uint64_t row_bytes = byte_size(TensorType::mxfp4, tensor.shape[0]);
    reading.each_band(4000, [&](const Band& band) {
      for (const Piece& piece : band.pieces) {
        for (std::uint64_t row = 0; row < piece.rows; row += 3) {
          const std::uint64_t rows = std::min<std::uint64_t>(3, piece.rows - row);
          std::vector<std::byte> moved(rows * row_bytes);
          move_mxfp4_rows(model_.weights, reading.bytes_of(band), piece, row, rows, moved.data());
          EXPECT_TRUE(std::ranges::equal(
              moved,
              std::span(expected).subspan((piece.first_row + row) * row_bytes, moved.size())))
              << tensor.name;
        }
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Checkpoints, ::testing::ValuesIn(checkpoint::fixture_names()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace sluice::weights
