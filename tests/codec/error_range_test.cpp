// What ErrorRange must let pass and what it must see, over many random and adversarial
// super-blocks.

#include "codec/error_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "codec/random_rows.h"

namespace sluice {
namespace {

using testing_support::Random;
using testing_support::random_rows;
using testing_support::RandomRows;

constexpr std::size_t kBlocks = 3000;

class ErrorRangeTest : public testing::TestWithParam<TensorType> {
 protected:
  const Codec& codec() const { return *find_codec(GetParam()); }

  std::vector<float> coded(const RandomRows& rows, const std::vector<float>& values) const {
    std::vector<std::byte> blocks(byte_size(GetParam(), values.size(), rows.row_elements));
    codec().encode({.values = values.data(),
                    .rows = rows.rows,
                    .row_elements = rows.row_elements,
                    .importance = rows.importance.empty() ? nullptr : rows.importance.data()},
                   blocks.data());
    std::vector<float> decoded(values.size());
    decode_rows(codec(), blocks.data(), decoded.size(), rows.row_elements, decoded.data());
    return decoded;
  }

  /// Regions that make damage certain, alone or with a neighbour.
  std::size_t excesses(const RandomRows& rows, const std::vector<float>& decoded,
                       bool importance_known) const {
    const ErrorRange range(GetParam(), best_isa(), rows.row_elements);
    std::size_t count = 0;
    bool doubted = false;
    range.judge_all(rows.values, decoded,
                    importance_known ? std::span(rows.importance) : std::span<const float>(), 0,
                    [&](std::size_t start, std::size_t, const Judgement& judgement) {
                      const bool before = std::exchange(doubted, judgement.excess.has_value());
                      if (!judgement.excess || !(judgement.excess->certain || before)) return;
                      ++count;
                      description_ = rows.describe(start / testing_support::kSuperBlock) +
                                     ", error " + std::to_string(judgement.excess->error) +
                                     ", limit " + std::to_string(judgement.excess->limit);
                    });
    return count;
  }

  mutable std::string description_;
};

TEST_P(ErrorRangeTest, PassesWeightsWhateverTheirImportance) {
  Random random("weights " + std::string(name(GetParam())));
  for (std::size_t tried = 0; tried < kBlocks;) {
    const RandomRows rows = random_rows(random, false, info(GetParam()).rows);
    ASSERT_EQ(excesses(rows, coded(rows, rows.values), false), 0u) << description_;
    tried += rows.super_blocks();
  }
}

TEST_P(ErrorRangeTest, PassesExtremesUnderTheirImportance) {
  Random random("extremes " + std::string(name(GetParam())));
  for (std::size_t tried = 0; tried < kBlocks;) {
    const RandomRows rows = random_rows(random, true, info(GetParam()).rows);
    ASSERT_EQ(excesses(rows, coded(rows, rows.values), true), 0u) << description_;
    tried += rows.super_blocks();
  }
}

TEST_P(ErrorRangeTest, PassesExtremesWithoutImportance) {
  Random random("plain extremes " + std::string(name(GetParam())));
  for (std::size_t tried = 0; tried < kBlocks;) {
    RandomRows rows = random_rows(random, true, info(GetParam()).rows);
    rows.importance.clear();
    ASSERT_EQ(excesses(rows, coded(rows, rows.values), false), 0u) << description_;
    tried += rows.super_blocks();
  }
}

// Two neighbouring super-blocks of weights, or so much of each row of a group, that have become zeros, or
// hold the weights of another place, of a third to three times the size: nearly always seen. (Not where one huge weight makes
// our own encoder hardly better than zeros.)
TEST_P(ErrorRangeTest, SeesZerosAndOtherWeights) {
  Random random("damage " + std::string(name(GetParam())));
  constexpr std::size_t kTrials = 1000;
  constexpr std::size_t kWidth = 2 * testing_support::kSuperBlock;
  std::size_t zeros_seen = 0;
  std::size_t others_seen = 0;
  for (std::size_t tried = 0; tried < kTrials; ++tried) {
    const std::size_t count = info(GetParam()).rows;
    RandomRows rows{count, kWidth, {}, {}, {}, {}};
    rows.value_kinds.assign(2 * count, "weights");
    const double size = random.magnitude(-3, 0);
    const double other_size = size * random.magnitude(-0.5, 0.5);
    std::vector<float> others(count * kWidth);
    for (std::size_t i = 0; i < others.size(); ++i) {
      rows.values.push_back(static_cast<float>(size * random.heavy()));
      others[i] = static_cast<float>(other_size * random.heavy());
    }
    zeros_seen += excesses(rows, std::vector<float>(others.size()), false) > 0 ? 1 : 0;
    others_seen += excesses(rows, coded(rows, others), false) > 0 ? 1 : 0;
  }
  EXPECT_GE(zeros_seen, kTrials * 95 / 100);
  EXPECT_GE(others_seen, kTrials * 95 / 100);
}

std::vector<TensorType> encodable_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) {
    if (codec.encode != nullptr) types.push_back(codec.type);
  }
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, ErrorRangeTest, testing::ValuesIn(encodable_types()),
                         [](const auto& test) { return std::string(name(test.param)); });

// Of types that we only read, zeros and unrelated weights are seen, and exact ones pass. Where a region
// is of few weights, of BF16 two, some unrelated ones are near by chance.
class ReadOnlyErrorRange : public testing::TestWithParam<TensorType> {};

TEST_P(ReadOnlyErrorRange, SeesZerosAndPassesItsOwnWeights) {
  constexpr std::size_t kRow = 256;
  const ErrorRange range(GetParam(), best_isa(), kRow);
  Random random("read only " + std::string(name(GetParam())));
  std::vector<float> values(info(GetParam()).rows * kRow);
  for (float& value : values) value = static_cast<float>(random.normal());
  const auto judged = [&](const std::vector<float>& decoded) {
    std::size_t excesses = 0;
    range.judge_all(values, decoded, {}, 0, [&](std::size_t, std::size_t, const Judgement& region) {
      excesses += region.excess.has_value() ? 1 : 0;
    });
    return excesses;
  };
  const std::size_t all = values.size() / range.region_elements();
  EXPECT_EQ(judged(values), 0u);
  EXPECT_EQ(judged(std::vector<float>(values.size())), all);
  std::vector<float> shifted = values;
  std::rotate(shifted.begin(), shifted.begin() + 1, shifted.end());
  EXPECT_GE(judged(shifted), all * 3 / 4);
}

std::vector<TensorType> read_only_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) {
    if (codec.encode == nullptr) types.push_back(codec.type);
  }
  return types;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ReadOnlyErrorRange);
INSTANTIATE_TEST_SUITE_P(Types, ReadOnlyErrorRange, testing::ValuesIn(read_only_types()),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace sluice
