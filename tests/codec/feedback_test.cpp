// The kernels of error feedback, against second moments that are factored and summed in double.

#include "codec/feedback.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "sluice/codec.h"
#include "support/second_moments.h"

namespace sluice {
namespace {

using test::FactoredMoments;
using test::FeedbackCase;
using test::SecondMoments;

std::vector<TensorType> types() {
  std::vector<TensorType> all;
  for (const Codec& codec : codecs()) {
    if (find_feedback(codec.type) != nullptr) all.push_back(codec.type);
  }
  return all;
}

class Feedback : public testing::TestWithParam<TensorType> {
 protected:
  const FeedbackKernel& kernel_ = *find_feedback(GetParam());
  const std::size_t n_ = kernel_.columns;
  const FactoredMoments moments_{SecondMoments::correlated(n_)};

  std::vector<float> rows(float scale = 0.02f) const {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::vector<float> values(kFeedbackRows * n_);
    for (float& v : values) v = scale * normal(random);
    return values;
  }

  /// What the type's own encoder gets wrong, told the diagonal.
  std::vector<float> plain_errors(const FeedbackCase& feedback) const {
    const Codec& codec = *find_codec(GetParam());
    std::vector<std::byte> blocks(feedback.blocks.size());
    std::vector<float> errors(feedback.values.size());
    codec.encode({.values = feedback.values.data(),
                  .rows = kFeedbackRows,
                  .row_elements = n_,
                  .importance = feedback.metric.data(),
                  .effort = Effort::best,
                  .bias_correction = 0},
                 blocks.data());
    decode_rows(codec, blocks.data(), errors.size(), n_, errors.data());
    for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = feedback.values[i] - errors[i];
    return errors;
  }
};

TEST_P(Feedback, CostsLessThanThePlainEncoderWhereInputsComeTogether) {
  FeedbackCase feedback(kernel_, moments_, rows());
  const double plain = moments_.cost(plain_errors(feedback));
  feedback.encode();
  const double once = moments_.cost(feedback.errors);
  EXPECT_LT(once, 0.75 * plain);
  feedback.improve();
  feedback.improve();
  if (GetParam() == TensorType::iq1_s_r4) {
    // Its block is one sub-block, of which all scales have been tried under the very same sum.
    EXPECT_LE(moments_.cost(feedback.errors), once * (1 + 1e-6));
  } else {
    EXPECT_LT(moments_.cost(feedback.errors), once);
  }
  feedback.encode(Effort::fast);
  EXPECT_LT(moments_.cost(feedback.errors), 0.8 * plain);
}

TEST_P(Feedback, CostsAsMuchWhereTheyDoNot) {
  const FactoredMoments diagonal(moments_.diagonal());
  FeedbackCase feedback(kernel_, diagonal, rows());
  const double plain = diagonal.cost(plain_errors(feedback));
  feedback.encode();
  EXPECT_GT(diagonal.cost(feedback.errors), 0.85 * plain);
  EXPECT_LT(diagonal.cost(feedback.errors), 1.15 * plain);
}

TEST_P(Feedback, WhatOtherBlocksAskForIsMadeUpFor) {
  // Codes are to aim at w + shift: with D alone, the cost is that of coding w + shift.
  const FactoredMoments diagonal(moments_.diagonal());
  FeedbackCase shifted(kernel_, diagonal, rows());
  std::vector<float> sum = shifted.values;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    shifted.shift[i] = 0.5f * shifted.values[(i + 5) % sum.size()];
    sum[i] += shifted.shift[i];
  }
  shifted.whole = sum;
  FeedbackCase plain(kernel_, diagonal, sum);
  shifted.encode();
  plain.encode();
  const std::vector<float> decoded = shifted.decoded();
  std::vector<float> misses(sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i) misses[i] = sum[i] - decoded[i];
  EXPECT_NEAR(diagonal.cost(misses) / diagonal.cost(plain.errors), 1, 1e-3);
}

TEST_P(Feedback, DescentNeverCostsMore) {
  FeedbackCase feedback(kernel_, moments_, rows());
  feedback.encode(Effort::fast);
  double cost = moments_.cost(feedback.errors);
  for (int sweep = 0; sweep < 6; ++sweep) {
    feedback.improve(Effort::fast);
    const double now = moments_.cost(feedback.errors);
    EXPECT_LE(now, cost * (1 + 1e-6)) << sweep;
    cost = now;
  }
}

TEST_P(Feedback, ErrorsAreThoseOfTheBlocks) {
  FeedbackCase feedback(kernel_, moments_, rows());
  const auto check = [&] {
    const std::vector<float> decoded = feedback.decoded();
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      ASSERT_EQ(feedback.values[i] - decoded[i], feedback.errors[i]) << i;
    }
  };
  feedback.encode();
  check();
  feedback.improve();
  check();
}

TEST_P(Feedback, EveryInstructionSetGivesTheSameBytes) {
  FeedbackCase best(kernel_, moments_, rows());
  best.encode();
  const std::vector<std::byte> encoded = best.blocks;
  best.improve();
  for (const Isa isa : supported_isas()) {
    FeedbackCase other(*find_feedback(GetParam(), isa), moments_, rows());
    other.encode();
    EXPECT_EQ(other.blocks, encoded) << name(isa);
    other.improve();
    EXPECT_EQ(other.blocks, best.blocks) << name(isa);
    EXPECT_EQ(other.errors, best.errors) << name(isa);
  }
}

TEST_P(Feedback, RowsDoNotKnowEachOther) {
  FeedbackCase all(kernel_, moments_, rows());
  all.encode();
  all.improve();
  FeedbackCase one(kernel_, moments_, std::vector<float>(kFeedbackRows * n_));
  std::copy_n(all.values.begin() + static_cast<std::ptrdiff_t>(5 * n_), n_, one.values.begin());
  one.encode();
  one.improve();
  EXPECT_TRUE(std::equal(one.blocks.begin(),
                         one.blocks.begin() + static_cast<std::ptrdiff_t>(one.block_bytes),
                         all.blocks.begin() + static_cast<std::ptrdiff_t>(5 * one.block_bytes)));
}

TEST_P(Feedback, HostileNumbersGiveFiniteBlocks) {
  const FactoredMoments wide(SecondMoments::correlated(n_, 7));
  const auto [least, most] = std::minmax_element(wide.d.begin(), wide.d.end());
  ASSERT_GT(*most / *least, 1e12);
  for (const float scale : {0.0f, 1e-42f, 1e-30f, 1e-6f, 1.0f, 1e5f, 1e30f, 1e38f}) {
    for (const FactoredMoments* moments : {&moments_, &wide}) {
      FeedbackCase feedback(kernel_, *moments, rows(scale / 8));
      feedback.encode();
      feedback.improve();
      EXPECT_TRUE(feedback.finite()) << scale;
      for (const float e : feedback.errors) ASSERT_TRUE(std::isfinite(e)) << scale;
      if (scale == 0) {
        for (const float q : feedback.decoded()) ASSERT_EQ(q, 0.0f);
      }
    }
  }
}

TEST_P(Feedback, NothingThatOthersAskForMakesBlocksInfinite) {
  FeedbackCase feedback(kernel_, moments_, rows());
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> bad = {infinity, -infinity, infinity - infinity, 3e38f, 1e-40f};
  for (std::size_t i = 0; i < feedback.shift.size(); i += 3) feedback.shift[i] = bad[i % 5];
  feedback.encode();
  EXPECT_TRUE(feedback.finite());
  for (const float e : feedback.errors) ASSERT_TRUE(std::isfinite(e));
}

TEST_P(Feedback, RescalingMultipliesWhatIsDecoded) {
  if (GetParam() == TensorType::nvfp4) return;  // its scales have steps of up to an eighth
  FeedbackCase feedback(kernel_, moments_, rows(2.0f));
  feedback.encode();
  const std::vector<float> before = feedback.decoded();
  const auto rescale = [&](float factor) {
    for (std::size_t r = 0; r < kFeedbackRows; ++r) {
      kernel_.rescale(feedback.blocks.data() + r * feedback.block_bytes, factor);
    }
    return feedback.decoded();
  };
  const std::vector<float> after = rescale(1.25f);
  for (std::size_t i = 0; i < before.size(); ++i) {
    // A scale and a minimum of up to 10, rounded to 11 bits each.
    ASSERT_NEAR(after[i], 1.25f * before[i], 2 * 10 * 0x1p-11f) << i;
  }
  rescale(1e30f);
  EXPECT_TRUE(feedback.finite());
  const std::vector<float> least = rescale(1e-30f);
  EXPECT_TRUE(std::any_of(least.begin(), least.end(), [](float q) { return q != 0; }));
}

INSTANTIATE_TEST_SUITE_P(Types, Feedback, testing::ValuesIn(types()),
                         [](const testing::TestParamInfo<TensorType>& type) {
                           std::string name(sluice::info(type.param).name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace sluice
