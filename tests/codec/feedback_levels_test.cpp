// Feedback kernels of types with levels: every scale there is, and the nearest of all its codes, by
// what blocks decode to.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>

#include "codec/feedback/iq4_nl.cpp"  // its encoder is in iq_search_test.cpp
#include "codec/feedback/levels.h"
#include "codec/i_quants/iq2_k.h"
#include "codec/i_quants/iq3_k.h"
#include "codec/i_quants/iq4_k.h"
#include "codec/i_quants/iq4_xs.h"
#include "codec/random_rows.h"

namespace sluice {
namespace {

using ldlq::Floats;
using ldlq::Ints;

constexpr std::uint16_t kHalf = 0x2e66;  // 0.1, nearly

/// What a code at some place of a block decodes to, with a scale code for its sub-block.
template <typename Type>
float in_block(unsigned scale, unsigned code, std::size_t place = 0) {
  typename Type::Block block{};
  place %= Type::Block::kWeights;
  Type::set_factor(block, 0, kHalf);
  // Whatever was there is written over.
  Type::set_scale(block, place / Type::kSubBlock, ~0u);
  Type::set_code(block, place, ~0u);
  Type::set_scale(block, place / Type::kSubBlock, scale);
  Type::set_code(block, place, code);
  EXPECT_EQ(Type::scale(block, place / Type::kSubBlock), scale);
  float decoded[Type::Block::kWeights];
  block.decode(decoded);
  return decoded[place];
}

/// \param factors  what Type::factor of a block with kHalf comes to
template <typename Type>
void expect_nearest(const std::set<unsigned>& scales, const Floats* factors) {
  testing_support::Random random("levels");
  for (const unsigned scale : scales) {
    typename Type::Scale of[Type::kTogether];
    Floats target[Type::kTogether][1];
    const float largest = std::max(std::abs(in_block<Type>(scale, 0)), 1e-3f);
    for (std::size_t k = 0; k < Type::kTogether; ++k) {
      of[k] = Type::scale_of(factors, Ints(static_cast<int>(scale)));
      float lanes[kFeedbackRows];
      for (float& lane : lanes) lane = largest * 0.6f * static_cast<float>(random.normal());
      target[k][0] = Floats::load(lanes);
    }
    ldlq::Option<1> options[Type::kAlternatives][Type::kTogether];
    const float metric[1] = {1};
    typename Type::Group(metric).nearest(of, target, options);
    for (std::size_t k = 0; k < Type::kTogether; ++k) {
      for (std::size_t r = 0; r < kFeedbackRows; ++r) {
        float least = std::numeric_limits<float>::infinity();
        for (unsigned code = 0; code < Type::Block::kLevels.size(); ++code) {
          least = std::min(least, std::abs(target[k][0][r] - in_block<Type>(scale, code)));
        }
        const auto code = static_cast<unsigned>(options[0][k].code[r]);
        const std::size_t place = random.below(256);
        ASSERT_EQ(options[0][k].decoded[0][r], in_block<Type>(scale, code, place)) << scale;
        ASSERT_LE(std::abs(target[k][0][r] - options[0][k].decoded[0][r]), least + largest * 1e-6f)
            << scale;
      }
    }
  }
}

/// All that candidates are, from any scale on.
template <typename Type>
std::set<unsigned> all_scales(unsigned count, bool moved) {
  std::set<unsigned> scales;
  for (unsigned i = 0; i < (moved ? 2 * count : count); ++i) {
    const unsigned plain = i < count ? i : i - count + 256;
    std::set<unsigned> of_plain;
    for (std::size_t n = 0; n < Type::candidates(Effort::best); ++n) {
      const Ints candidate = Type::candidate(Ints(static_cast<int>(plain)), n, Effort::best);
      of_plain.insert(static_cast<unsigned>(candidate[0]));
    }
    EXPECT_TRUE(of_plain.contains(plain));
    EXPECT_EQ(of_plain.contains(plain ^ 256), moved);
    scales.insert(of_plain.begin(), of_plain.end());
  }
  EXPECT_EQ(scales.size(), moved ? 2 * count : count);
  return scales;
}

template <typename Block, TensorType kType>
void expect_sound(unsigned scales) {
  using Type = ldlq::LevelBlocks<Block, kType, 3, 4>;
  const Floats factor = f16_to_f32(kHalf);
  expect_nearest<Type>(all_scales<Type>(scales, Block::kShift != 0), &factor);
}

TEST(FeedbackLevels, CodesAreTheNearestAtEveryScale) {
  expect_sound<BlockIq4Xs, TensorType::iq4_xs>(64);
  expect_sound<BlockIq2K, TensorType::iq2_k>(16);
  expect_sound<BlockIq3K, TensorType::iq3_k>(32);
  expect_sound<BlockIq4K, TensorType::iq4_k>(64);
}

TEST(FeedbackLevels, ScalesInFp16AreTriedOnBothSidesAndStayFinite) {
  const Floats factors[] = {f16_to_f32(kHalf), 1.0f};
  std::set<unsigned> scales;
  for (const int plain : {int{kHalf}, 0x8001, 0x7bff, 0xfbf0}) {
    for (std::size_t n = 0; n < FeedbackIq4Nl::candidates(Effort::best); ++n) {
      const Ints candidate = FeedbackIq4Nl::candidate(plain, n, Effort::best);
      scales.insert(static_cast<unsigned>(candidate[0]));
    }
    EXPECT_TRUE(scales.contains(static_cast<unsigned>(plain)));
    EXPECT_TRUE(scales.contains(static_cast<unsigned>(plain ^ 0x8000)));
  }
  for (const unsigned scale : scales) EXPECT_LE(scale & 0x7fffu, 0x7bffu);
  expect_nearest<FeedbackIq4Nl>(scales, factors);
  for (std::size_t n = 0; n < FeedbackIq4Nl::candidates(Effort::best); ++n) {
    EXPECT_EQ(FeedbackIq4Nl::candidate(Ints(0), n, Effort::best)[0] & 0x7fff, 0);
  }
}

}  // namespace
}  // namespace sluice
