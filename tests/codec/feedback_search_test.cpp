// How feedback kernels search a group: against every code that there is.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include "codec/feedback/iq1_kt.cpp"
#include "codec/feedback/iq1_m.cpp"
#include "codec/feedback/iq1_s.cpp"
#include "codec/feedback/iq2_kt.cpp"
#include "codec/feedback/iq3_kt.cpp"
#include "codec/feedback/magnitudes.h"
#include "codec/i_quants/iq1_s.cpp"
#include "codec/i_quants/iq2_s.h"
#include "codec/i_quants/iq2_xs.h"
#include "codec/i_quants/iq2_xxs.h"
#include "codec/i_quants/iq3_s.h"
#include "codec/i_quants/iq3_xxs.h"
#include "codec/random_rows.h"
#include "codec/trellis/cells.cpp"
#include "codec/trellis/near_tree.cpp"
#include "codec/trellis/regions.cpp"
#include "sluice/codec.h"

namespace sluice {
namespace {

constexpr std::size_t kWidth = 8;
constexpr std::size_t kRows = kFeedbackRows;
using Numbers = std::array<double, kWidth>;

/// A group of a row: what its codes are to be near to, and what errors cost.
struct Wanted {
  Numbers target;
  Numbers metric;
  double scale;

  double cost(std::size_t j, double value) const {
    return metric[j] * std::pow(target[j] - value, 2);
  }
};

/// The least cost of codes of the ternary codebook, with shifts of these signs.
double least_ternary(const Wanted& wanted, std::initializer_list<int> shifts) {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& entry : kIq1sCodebook) {
    for (const int sign : shifts) {
      double cost = 0;
      for (std::size_t j = 0; j < kWidth; ++j) {
        cost += wanted.cost(j, wanted.scale * (entry[j] + sign * double{kIq1Delta}));
      }
      least = std::min(least, cost);
    }
  }
  return least;
}

/// The least cost of entries for positions from `first` on, with no wrong sign and with one.
template <typename Codebook>
std::array<double, 2> least_of_entries(const Wanted& wanted, const Codebook& codebook,
                                       std::size_t first) {
  std::array<double, 2> least;
  least.fill(std::numeric_limits<double>::infinity());
  for (const auto& entry : codebook) {
    double right = 0;
    double wrong = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < entry.size(); ++j) {
      const double magnitude = std::copysign(wanted.scale * entry[j], wanted.target[first + j]);
      const double cost = wanted.cost(first + j, magnitude);
      wrong = std::min(wrong + cost, right + wanted.cost(first + j, -magnitude));
      right += cost;
    }
    least[0] = std::min(least[0], right);
    least[1] = std::min(least[1], wrong);
  }
  return least;
}

template <typename Codebook>
double least_magnitudes(const Wanted& wanted, const Codebook& codebook, bool even_signs) {
  std::array<double, 2> all = {0, std::numeric_limits<double>::infinity()};
  for (std::size_t first = 0; first < kWidth; first += codebook[0].size()) {
    const std::array<double, 2> some = least_of_entries(wanted, codebook, first);
    all = {all[0] + some[0], std::min(all[0] + some[1], all[1] + some[0])};
  }
  const auto minus = std::count_if(wanted.target.begin(), wanted.target.end(),
                                   [](double t) { return std::signbit(t); });
  return all[even_signs && minus % 2 == 1 ? 1 : 0];
}

/// What a code of a group decodes to in a block, as a multiple of the super-block's scale of one.
template <typename Type>
std::array<float, kWidth> in_block(unsigned scale, unsigned code) {
  typename Type::Block block{};
  if constexpr (std::is_same_v<decltype(Type::factor(block, 0)), float>) {
    Type::set_factor(block, 0, 1.0f);
  } else {
    Type::set_factor(block, 0, 0x3c00);
  }
  Type::set_scale(block, 0, scale);
  Type::set_code(block, 1, code);
  std::array<float, Type::Block::kWeights> decoded;
  block.decode(decoded.data());
  std::array<float, kWidth> group;
  std::copy_n(decoded.begin() + kWidth, kWidth, group.begin());
  return group;
}

/// What a scale multiplies codes by.
const ldlq::Floats& value_of(const ldlq::Floats& scale) {
  return scale;
}
const ldlq::Floats& value_of(const ldlq::NearScale& scale) {
  return scale.value;
}

/// Searches groups at random, and compares what they cost with the least.
/// \param least    of candidate k
/// \param largest  that a code stands for at scale one
/// \param lowest   of the plain codes of scales
template <typename Type, typename Least>
void expect_near_the_least(const Least& least, double largest, double bound, int trials = 40,
                           int lowest = 0) {
  testing_support::Random random("groups");
  double found_all = 0;
  double least_all = 0;
  for (int trial = 0; trial < trials; ++trial) {
    float metric[kWidth];
    for (float& m : metric) m = static_cast<float>(random.magnitude(-0.5, 0.5));
    ldlq::Floats target[Type::kTogether][kWidth];
    ldlq::Ints code[Type::kTogether];
    typename Type::Scale scale[Type::kTogether];
    const ldlq::Floats factor = 1.0f;
    const double spread = largest * random.magnitude(-0.7, -0.3);
    for (std::size_t k = 0; k < Type::kTogether; ++k) {
      const ldlq::Ints plain(lowest + static_cast<int>(random.below(8)));
      code[k] = Type::candidate(plain, k, Effort::best);
      scale[k] = Type::scale_of(&factor, code[k]);
      for (ldlq::Floats& t : target[k]) {
        float lanes[kRows];
        for (float& lane : lanes) lane = static_cast<float>(spread * random.normal());
        t = ldlq::Floats::load(lanes) * value_of(scale[k]);
      }
    }
    const typename Type::Group group(metric);
    ldlq::Option<kWidth> options[Type::kAlternatives][Type::kTogether];
    group.nearest(scale, target, options);
    for (std::size_t k = 0; k < Type::kTogether; ++k) {
      for (std::size_t r = 0; r < kRows; ++r) {
        Wanted wanted{{}, {}, double{value_of(scale[k])[r]}};
        for (std::size_t j = 0; j < kWidth; ++j) {
          wanted.target[j] = double{target[k][j][r]};
          wanted.metric[j] = double{metric[j]};
        }
        double found = std::numeric_limits<double>::infinity();
        for (const auto& alternative : options) {
          const auto& option = alternative[k];
          const auto decoded = in_block<Type>(static_cast<unsigned>(code[k][r]),
                                              static_cast<unsigned>(option.code[r]));
          double cost = 0;
          for (std::size_t j = 0; j < kWidth; ++j) {
            ASSERT_NEAR(option.decoded[j][r], decoded[j], 1e-6 * std::abs(decoded[j]));
            cost += wanted.cost(j, double{decoded[j]});
          }
          found = std::min(found, cost);
        }
        const double best = least(wanted, k);
        ASSERT_GE(found, best * (1 - 1e-5));
        const double unit = std::pow(wanted.scale, -2);
        found_all += found * unit;
        least_all += best * unit;
      }
    }
  }
  EXPECT_LE(found_all, bound * least_all);
}

/// The least cost of the vectors of a generated codebook, with any signs if it is of magnitudes.
double least_generated(const Wanted& wanted, const TrellisCodebook& book) {
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t index = 0; index < book.size(); ++index) {
    float vector[kWidth];
    decode_trellis<kWidth>(index + book.offset, static_cast<float>(wanted.scale), vector);
    double cost = 0;
    for (std::size_t j = 0; j < kWidth; ++j) {
      const double value = vector[j];
      cost += wanted.cost(j, book.magnitudes ? std::copysign(value, wanted.target[j]) : value);
    }
    least = std::min(least, cost);
  }
  return least;
}

template <typename Type, typename Codebook>
void expect_near_the_least_of(const Codebook& codebook) {
  expect_near_the_least<Type>(
      [&](const Wanted& wanted, std::size_t) {
        return least_magnitudes(wanted, codebook, Type::Block::kEvenSigns);
      },
      Type::Block::kMagnitudes.back(), 1.002);
}

template <typename Block, TensorType kType>
using Magnitudes = ldlq::FeedbackMagnitudes<Block, kType, 6, 4>;

TEST(FeedbackSearch, TernaryCodesAreNearTheBest) {
  expect_near_the_least<FeedbackIq1M>(
      [](const Wanted& wanted, std::size_t) {
        return least_ternary(wanted, {1, -1});
      },
      1, 1.02);
  expect_near_the_least<FeedbackIq1S>(
      [](const Wanted& wanted, std::size_t k) { return least_ternary(wanted, {k == 0 ? 1 : -1}); },
      1, 1.02);
}

TEST(FeedbackSearch, GeneratedVectorsAreNearTheBest) {
  constexpr double kLargest = 90;
  expect_near_the_least<FeedbackIq1Kt>(
      [](const Wanted& wanted, std::size_t) { return least_generated(wanted, kIq1KtBook); },
      kLargest, 1.02, 8);
  expect_near_the_least<FeedbackIq2Kt>(
      [](const Wanted& wanted, std::size_t) { return least_generated(wanted, kIq2KtBook); },
      kLargest, 1.02, 2);
  constexpr int kLowest = 8;  // a multiple of zero has no nearest vector
  expect_near_the_least<FeedbackIq3Kt>(
      [](const Wanted& wanted, std::size_t) { return least_generated(wanted, kIq3KtBook); },
      kLargest, 1.02, 2, kLowest);
}

TEST(FeedbackSearch, MagnitudesAreTheBest) {
  expect_near_the_least_of<Magnitudes<BlockIq2Xxs, TensorType::iq2_xxs>>(kIq2xxsCodebook);
  expect_near_the_least_of<Magnitudes<BlockIq2Xs, TensorType::iq2_xs>>(kIq2xsCodebook);
  expect_near_the_least_of<Magnitudes<BlockIq2S, TensorType::iq2_s>>(kIq2sCodebook);
  expect_near_the_least_of<Magnitudes<BlockIq3Xxs, TensorType::iq3_xxs>>(kIq3xxsCodebook);
  expect_near_the_least_of<Magnitudes<BlockIq3S, TensorType::iq3_s>>(kIq3sCodebook);
}

}  // namespace
}  // namespace sluice
