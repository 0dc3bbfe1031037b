// Codec::column_block: groups of so many columns, encoded apart, are the blocks of the whole rows.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "codec/random_rows.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

using testing_support::Random;
using testing_support::random_rows;
using testing_support::RandomRows;
using Bytes = std::vector<std::byte>;

EncodeRows input(const RandomRows& rows, Effort effort, float bias_correction) {
  return {.values = rows.values.data(),
          .rows = rows.rows,
          .row_elements = rows.row_elements,
          .importance = rows.importance.empty() ? nullptr : rows.importance.data(),
          .effort = effort,
          .bias_correction = bias_correction};
}

/// Columns [first, first + count) of the rows, encoded by themselves.
Bytes encode_columns(const Codec& codec, const EncodeRows& rows, std::size_t first,
                     std::size_t count) {
  std::vector<float> values;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* from = rows.values + row * rows.row_elements + first;
    values.insert(values.end(), from, from + count);
  }
  EncodeRows columns = rows;
  columns.values = values.data();
  columns.row_elements = count;
  if (rows.importance != nullptr) columns.importance = rows.importance + first;
  Bytes blocks(byte_size(codec.type, values.size()));
  codec.encode(columns, blocks.data());
  return blocks;
}

/// Whether groups of columns that are multiples of `unit`, of random widths, become the same blocks
/// as they do within their rows.
bool groups_stand_alone(const Codec& codec, const EncodeRows& rows, std::size_t unit,
                        Random& random) {
  Bytes whole(byte_size(codec.type, rows.rows * rows.row_elements));
  codec.encode(rows, whole.data());
  Bytes together(whole.size());
  const std::size_t row_bytes = byte_size(codec.type, rows.row_elements);
  const std::size_t units = rows.row_elements / unit;
  for (std::size_t first = 0, count = 0; first < units; first += count) {
    count = std::min(units - first, 1 + random.below(random.chance(0.5) ? 3 : 40));
    const Bytes part = encode_columns(codec, rows, first * unit, count * unit);
    const std::size_t part_bytes = part.size() / rows.rows;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::memcpy(together.data() + row * row_bytes + byte_size(codec.type, first * unit),
                  part.data() + row * part_bytes, part_bytes);
    }
  }
  return together == whole;
}

class ColumnBlock : public testing::TestWithParam<TensorType> {};

TEST_P(ColumnBlock, GroupsOfColumnsStandAlone) {
  Random random(std::string(name(GetParam())));
  for (const Isa isa : supported_isas()) {
    const Codec& codec = *find_codec(GetParam(), isa);
    ASSERT_GT(codec.column_block, 0u);
    for (int i = 0; i < 40; ++i) {
      RandomRows rows = random_rows(random, i % 2 == 0);
      if (i % 3 == 0) rows.importance.clear();
      for (const Effort effort : {Effort::fast, Effort::best}) {
        for (const float bias_correction : {0.0f, 0.7f, 1.0f}) {
          ASSERT_TRUE(groups_stand_alone(codec, input(rows, effort, bias_correction),
                                         codec.column_block, random))
              << name(isa) << ", effort " << name(effort) << ", bias correction " << bias_correction
              << (rows.importance.empty() ? ", no" : ", with") << " importance, rows " << i;
        }
      }
    }
  }
}

std::vector<TensorType> encoders() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) {
    if (codec.encode != nullptr && is_all_blocks(codec.type)) types.push_back(codec.type);
  }
  return types;
}

TEST(ColumnBlocks, AreNoneWhereRowsHaveAScale) {
  for (const Codec& codec : codecs()) {
    EXPECT_TRUE(info(codec.type).row_bytes == 0 || codec.column_block == 0) << name(codec.type);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, ColumnBlock, testing::ValuesIn(encoders()),
                         [](const auto& test) { return std::string(name(test.param)); });

/// Q4_0 that weighs errors as llama.cpp does with an importance matrix: by the mean square of the
/// whole row.
void encode_by_row(const EncodeRows& rows, std::byte* out) noexcept {
  std::vector<float> weights(rows.row_elements);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* x = rows.values + row * rows.row_elements;
    float sum = 0;
    for (std::size_t i = 0; i < rows.row_elements; ++i) sum += x[i] * x[i];
    for (std::size_t i = 0; i < rows.row_elements; ++i) {
      weights[i] = std::sqrt(sum / static_cast<float>(rows.row_elements) + x[i] * x[i]);
    }
    EncodeRows one = rows;
    one.values = x;
    one.rows = 1;
    one.importance = weights.data();
    find_codec(TensorType::q4_0)->encode(one, out);
    out += byte_size(TensorType::q4_0, rows.row_elements);
  }
}

TEST(ColumnBlock, ATypeThatLooksAtTheWholeRowIsSeen) {
  Codec codec = *find_codec(TensorType::q4_0);
  codec.encode = encode_by_row;
  Random random("by row");
  int apart = 0;
  for (int i = 0; i < 10; ++i) {
    const RandomRows rows = random_rows(random, false);
    apart += groups_stand_alone(codec, input(rows, Effort::best, 1), 32, random) ? 0 : 1;
  }
  EXPECT_GT(apart, 5);
}

}  // namespace
}  // namespace sluice
