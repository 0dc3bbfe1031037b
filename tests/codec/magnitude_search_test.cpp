// The nearest entries of codebooks of magnitudes against brute force over the published lists.

#include "codec/i_quants/magnitude_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "codec/grids.h"
#include "codec/i_quants/iq2_s.h"
#include "codec/i_quants/iq2_xs.h"
#include "codec/i_quants/iq3_s.h"
#include "codec/i_quants/iq3_xxs.h"

namespace sluice {
namespace {

/// The least cost of some positions with right signs, and with one wrong sign.
std::pair<double, double> least_costs(const std::vector<std::vector<int>>& entries, const double* x,
                                      const double* w, double scale) {
  std::pair<double, double> least(std::numeric_limits<double>::infinity(),
                                  std::numeric_limits<double>::infinity());
  for (const std::vector<int>& entry : entries) {
    double right = 0;
    double wrong_sign = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < entry.size(); ++j) {
      right += w[j] * (x[j] - scale * entry[j]) * (x[j] - scale * entry[j]);
      wrong_sign = std::min(wrong_sign, 4 * w[j] * x[j] * scale * entry[j]);
    }
    least.first = std::min(least.first, right);
    least.second = std::min(least.second, right + wrong_sign);
  }
  return least;
}

/// What may be lost to brute force: of an octet, and of all.
struct Limits {
  double of_octet;
  double of_all;
  bool nearly = false;  ///< without more bits where weights differ much
};

/// All octets of heavy-tailed super-blocks, whose importance spans some orders of magnitude.
template <typename Block, magnitudes::WrongSign kWrongSign = magnitudes::WrongSign::searched>
void expect_nearest(const std::string& grid, int decades, const Limits& limits = {1.25, 1.002}) {
  const auto entries = testing_support::read_grid(grid, Block::kWidth);
  ASSERT_EQ(entries.size(), Block::kGrid.size());
  std::mt19937 random(3);
  const auto uniform = [&] { return (static_cast<double>(random()) + 0.5) / 4294967296.0; };
  double total = 0;
  double least_total = 0;
  for (const float share : {0.65f, 0.85f, 1.2f}) {
    std::vector<float> values(256);
    std::vector<float> importance(256);
    for (std::size_t i = 0; i < 256; ++i) {
      const double u = 2 * uniform() - 1;
      values[i] = static_cast<float>(u / std::sqrt(1.02 - std::fabs(u)));
      importance[i] = static_cast<float>(std::pow(10.0, decades * (uniform() - 1)));
    }
    magnitudes::Octets octets;
    magnitudes::load_octets<Block::kSubBlock>(values.data(), importance.data(), octets);
    const float scale = share / magnitudes::Format<Block>::kLargest;
    const magnitudes::MagnitudeSearch<Block, kWrongSign> search(octets, scale);
    magnitudes::OctetCodes<Block> codes;
    if (limits.nearly) {
      search.nearly_nearest(scale, codes);
    } else {
      search.nearest(simd::Floats(scale), codes);
    }
    for (std::size_t octet = 0; octet < 32; ++octet) {
      const std::size_t h = octet / 16;
      const std::size_t lane = octet % 16;
      std::vector<double> x(8);
      std::vector<double> w(8);
      double zeros = 0;
      bool odd = false;
      for (std::size_t j = 0; j < 8; ++j) {
        const double signed_x = octets.x[2 * j + h][lane];
        odd ^= signed_x < 0;
        x[j] = std::fabs(signed_x);
        w[j] = octets.w[2 * j + h][lane];
        zeros += w[j] * x[j] * x[j];
      }
      std::pair<double, double> least(0, std::numeric_limits<double>::infinity());
      for (std::size_t j = 0; j < 8; j += Block::kWidth) {
        const auto [right, wrong] = least_costs(entries, &x[j], &w[j], scale);
        least = {least.first + right, std::min(least.first + wrong, least.second + right)};
      }
      const double best = Block::kEvenSigns && odd ? least.second : least.first;
      const double found = zeros + double{scale} * (scale * double{codes.norm[h][lane]} -
                                                    2 * double{codes.dot[h][lane]});
      EXPECT_GE(found, best - 1e-5 * zeros) << "octet " << octet << ": no such code";
      EXPECT_LE(found, limits.of_octet * best) << "octet " << octet << " of " << grid;
      total += found;
      least_total += best;
    }
  }
  EXPECT_LE(total, limits.of_all * least_total);
}

void expect_all_nearest(int decades) {
  expect_nearest<BlockIq2S>("iq2s_grid.txt", decades);
  expect_nearest<BlockIq2Xs>("iq2xs_grid.txt", decades);
  expect_nearest<BlockIq3S>("iq3s_grid.txt", decades);
  expect_nearest<BlockIq3Xxs>("iq3xxs_grid.txt", decades);
}

TEST(MagnitudeSearch, NearestEntriesAreThoseOfBruteForce) {
  expect_all_nearest(2);
}

TEST(MagnitudeSearch, NearestEntriesAreThoseOfBruteForceWhereWeightsDifferMuch) {
  expect_all_nearest(6);
}

// Without more bits little is lost where weights do not differ by more than bytes tell apart; where they do, all codes are still what they are said to be.
TEST(MagnitudeSearch, NearlyNearestLoseLittle) {
  for (const auto& [decades, limits] :
       {std::pair(2, Limits{1.25, 1.002, true}), std::pair(6, Limits{100, 1.02, true})}) {
    expect_nearest<BlockIq2S>("iq2s_grid.txt", decades, limits);
    expect_nearest<BlockIq2Xs>("iq2xs_grid.txt", decades, limits);
    expect_nearest<BlockIq3S>("iq3s_grid.txt", decades, limits);
    expect_nearest<BlockIq3Xxs>("iq3xxs_grid.txt", decades, limits);
  }
}

// With a wrong sign that is chosen beforehand, all codes are still what they are said to be, and little
// is lost.
TEST(MagnitudeSearch, ChosenWrongSignsLoseLittle) {
  constexpr auto kChosen = magnitudes::WrongSign::chosen;
  constexpr Limits kLimits = {3, 1.03};
  for (const int decades : {2, 6}) {
    expect_nearest<BlockIq2Xs, kChosen>("iq2xs_grid.txt", decades, kLimits);
    expect_nearest<BlockIq3Xxs, kChosen>("iq3xxs_grid.txt", decades, kLimits);
  }
}

}  // namespace
}  // namespace sluice
