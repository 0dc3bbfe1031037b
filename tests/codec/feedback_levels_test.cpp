// Feedback kernels of types with levels: every scale there is, and the nearest of all its codes, by
// what blocks decode to.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <type_traits>

#include "codec/feedback/iq2_kl.cpp"
#include "codec/feedback/iq4_kss.cpp"
#include "codec/feedback/iq4_nl.cpp"  // its encoder is in iq_search_test.cpp
#include "codec/feedback/levels.h"
#include "codec/feedback/row_block.h"
#include "codec/i_quants/iq2_k.h"
#include "codec/i_quants/iq2_ks.h"
#include "codec/i_quants/iq3_k.h"
#include "codec/i_quants/iq3_ks.h"
#include "codec/i_quants/iq4_k.h"
#include "codec/i_quants/iq4_ks.h"
#include "codec/i_quants/iq4_xs.h"
#include "codec/i_quants/iq5_k.h"
#include "codec/i_quants/iq5_ks.h"
#include "codec/i_quants/iq6_k.h"
#include "codec/random_rows.h"

namespace sluice {
namespace {

using ldlq::Floats;
using ldlq::Ints;

constexpr std::uint16_t kHalf = 0x2e66;  // 0.1, nearly

/// Sets what is stored of the super-block's scale, or the row's.
template <typename Block>
void set_scale(Block& block) {
  if constexpr (std::is_same_v<decltype(block.d), float>) {
    block.d = f16_to_f32(kHalf);
  } else {
    block.d = kHalf;
  }
}

/// What a code at some place of a block decodes to, with a scale code for its sub-block.
template <typename Type>
float in_block(unsigned scale, unsigned code, std::size_t place = 0) {
  typename Type::Block block{};
  place %= Type::Block::kWeights;
  set_scale(block);
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
  constexpr std::size_t kMost = 64;  // about so many of them
  testing_support::Random random("levels");
  for (const unsigned scale : scales) {
    if (random.below(scales.size()) >= kMost) continue;
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

template <typename Block, TensorType kType, int kApart = 1>
void expect_sound(unsigned scales) {
  using Type = ldlq::LevelBlocks<Block, kType, 3, 4, kApart>;
  const Floats factor = f16_to_f32(kHalf);
  expect_nearest<Type>(all_scales<Type>(scales, Block::kShift != 0), &factor);
}

TEST(FeedbackLevels, CodesAreTheNearestAtEveryScale) {
  expect_sound<BlockIq4Xs, TensorType::iq4_xs>(64);
  expect_sound<BlockIq2K, TensorType::iq2_k>(16);
  expect_sound<BlockIq3K, TensorType::iq3_k>(32);
  expect_sound<BlockIq4K, TensorType::iq4_k>(64);
  expect_sound<BlockIq5K, TensorType::iq5_k>(64);
  expect_sound<BlockIq6K, TensorType::iq6_k, 2>(256);
}

TEST(FeedbackLevels, CodesAreTheNearestUnderTheScaleOfARow) {
  expect_sound<ldlq::RowBlock<BlockIq2Ks>, TensorType::iq2_ks>(32);
  expect_sound<ldlq::RowBlock<BlockIq3Ks>, TensorType::iq3_ks>(32);
  expect_sound<ldlq::RowBlock<BlockIq4Ks>, TensorType::iq4_ks, 2>(128);
  expect_sound<ldlq::RowBlock<BlockIq5Ks>, TensorType::iq5_ks, 2>(128);
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

/// Searches groups at random. least(scale, target, metric) is what the best of all codes costs.
template <typename Type, typename Least>
void expect_best_groups(const Least& least) {
  constexpr std::size_t kGroup = Type::kGroup;
  testing_support::Random random("groups of levels");
  const Floats factor = f16_to_f32(kHalf);
  for (int trial = 0; trial < 8; ++trial) {
    const auto scale = static_cast<unsigned>(random.below(32));
    typename Type::Scale of[Type::kTogether];
    Floats target[Type::kTogether][kGroup];
    float metric[kGroup];
    for (float& m : metric) m = static_cast<float>(random.magnitude(-0.5, 0.5));
    for (std::size_t k = 0; k < Type::kTogether; ++k) {
      of[k] = Type::scale_of(&factor, Ints(static_cast<int>(scale)));
      for (Floats& t : target[k]) {
        float lanes[kFeedbackRows];
        for (float& lane : lanes) lane = 45 * static_cast<float>(random.normal());
        t = Floats::load(lanes) * of[k].scale;
      }
    }
    ldlq::Option<kGroup> options[Type::kAlternatives][Type::kTogether];
    typename Type::Group(metric).nearest(of, target, options);
    for (std::size_t k = 0; k < Type::kTogether; ++k) {
      for (std::size_t r = 0; r < kFeedbackRows; ++r) {
        std::array<float, kGroup> wanted;
        for (std::size_t j = 0; j < kGroup; ++j) wanted[j] = target[k][j][r];
        double found = std::numeric_limits<double>::infinity();
        for (const auto& alternative : options) {
          const auto& option = alternative[k];
          typename Type::Block block{};
          set_scale(block);
          const std::size_t group = random.below(Type::Block::kWeights / kGroup);
          const std::size_t sub_block = group * kGroup / Type::kSubBlock;
          Type::set_scale(block, sub_block, scale);
          Type::set_code(block, group, static_cast<unsigned>(option.code[r]));
          float decoded[Type::Block::kWeights];
          block.decode(decoded);
          double cost = 0;
          for (std::size_t j = 0; j < kGroup; ++j) {
            const std::size_t place = group * kGroup % Type::kSubBlock + j;
            const float value =
                decoded[sub_block * Type::kSubBlock + ldlq::order_of<Type>()[place]];
            ASSERT_EQ(option.decoded[j][r], value);
            cost += double{metric[j]} * std::pow(double{wanted[j]} - double{value}, 2);
          }
          found = std::min(found, cost);
        }
        ASSERT_NEAR(found, least(of[k].scale[r], of[k].shift[r], wanted, metric), 1e-5 * found);
      }
    }
  }
}

TEST(FeedbackLevels, PairsAreTheBestOfAll) {
  expect_best_groups<FeedbackIq2Kl>(
      [](float scale, float, const std::array<float, 2>& target, const float* metric) {
        double least = std::numeric_limits<double>::infinity();
        for (const LevelPairs::Pair& pair : LevelPairs::kPairs) {
          const double miss[] = {double{target[0]} - double{scale} * double{pair.first},
                                 double{target[1]} - double{scale} * double{pair.second}};
          least = std::min(
              least, double{metric[0]} * miss[0] * miss[0] + double{metric[1]} * miss[1] * miss[1]);
        }
        return least;
      });
}

TEST(FeedbackLevels, WordsAreTheBestOfEvenParity) {
  expect_best_groups<FeedbackIq4Kss>([](float scale, float shift,
                                        const std::array<float, 4>& target, const float* metric) {
    double costs[4][16];
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t code = 0; code < 16; ++code) {
        const double level = double{kIq4Levels[code]} + double{shift};
        costs[j][code] = double{metric[j]} * std::pow(double{target[j]} - double{scale} * level, 2);
      }
    }
    double least = std::numeric_limits<double>::infinity();
    for (unsigned word = 0; word < 65536; ++word) {
      if (std::popcount(word) % 2 != 0) continue;
      least = std::min(least, costs[0][word & 15] + costs[1][word >> 4 & 15] +
                                  costs[2][word >> 8 & 15] + costs[3][word >> 12]);
    }
    return least;
  });
}

}  // namespace
}  // namespace sluice
