// What sub-blocks cost at some multiples, beside sums of all products in double precision.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/i_quants/levels.h"
#include "codec/random_rows.h"
#include "codec/trellis/prices.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kGroup = 8;
constexpr std::size_t kOfASign = TrellisMultiples::kOfASign;
constexpr float kRowScale = 0.001f;

using Vector = std::array<float, kGroup>;

/// Cells of vectors at random, and what is searched in their stead.
struct Cells {
  static constexpr std::size_t kCount = 4;
  std::array<std::array<Vector, 16>, kCount> vectors;
  std::array<TrellisVectors<kGroup>, kCount> cells;

  explicit Cells(testing_support::Random& random) {
    for (std::size_t c = 0; c < kCount; ++c) {
      for (std::size_t lane = 0; lane < 16; ++lane) {
        std::int8_t integers[kGroup];
        for (std::size_t j = 0; j < kGroup; ++j) {
          integers[j] = static_cast<std::int8_t>(std::clamp(37 * random.normal(), -126.0, 126.0));
          vectors[c][lane][j] = integers[j];
        }
        cells[c].set(lane, integers);
      }
    }
  }
  const TrellisVectors<kGroup>& cell(std::size_t i) const { return cells[i]; }
};

TEST(TrellisMultiples, BeginBelowWhatIsForetold) {
  for (float foretold = 0.5f; foretold < 300; foretold *= 1.03f) {
    const TrellisMultiples multiples{simd::Floats(foretold)};
    for (std::size_t sign = 0; sign < 2; ++sign) {
      std::vector<std::size_t> codes(8);
      for (std::size_t i = 0; i < 8; ++i) codes[i] = sign == 0 ? 8 + i : 7 - i;
      std::size_t first = 0;
      while (first < 4 && std::abs(kIq4Levels[codes[first]]) < 0.65f * foretold) ++first;
      for (std::size_t i = 0; i < kOfASign; ++i) {
        EXPECT_EQ(multiples.code[sign][i][5], static_cast<float>(codes[first + i])) << foretold;
        EXPECT_EQ(multiples.magnitude[sign][i][5], std::abs(kIq4Levels[codes[first + i]]));
      }
    }
  }
}

TEST(TrellisPrices, AreWhatTheBestVectorsCost) {
  testing_support::Random random("trellis prices");
  double squares = 0;
  int count = 0;
  for (int times = 0; times < 20; ++times) {
    const Cells cells(random);
    TrellisTile<kGroup> tile;
    float x[kGroup][16];
    float w[kGroup][16];
    for (std::size_t j = 0; j < kGroup; ++j) {
      for (std::size_t lane = 0; lane < 16; ++lane) {
        x[j][lane] = static_cast<float>(random.normal());
        w[j][lane] = static_cast<float>(random.magnitude(-0.5, 0.5));
      }
      tile.x[j] = simd::Floats::load(x[j]);
      tile.w[j] = simd::Floats::load(w[j]);
    }
    const TrellisMultiples multiples(tile.likely_scale(0.8f / 37) / kRowScale);
    TrellisPrices<kIq1KtBook> prices(tile, multiples, kRowScale);
    const std::uint16_t near[Cells::kCount] = {2, 0, 3, 1};
    for (std::size_t lane = 0; lane < 16; ++lane) {
      for (std::size_t sign = 0; sign < 2; ++sign) {
        prices.look_at(cells, lane, sign, near, Cells::kCount);
      }
    }
    prices.add_up();

    const simd::Floats energy = tile.energy();
    std::array<float, 16> before;
    before.fill(-1e30f);
    std::array<unsigned, 4> seen{};
    for (std::size_t n = 0; n < 2 * kOfASign; ++n) {
      const auto cheapest = prices.take_cheapest();
      for (std::size_t b = 0; b < 4; ++b) {
        const float multiple = cheapest.multiple[4 * b];
        EXPECT_EQ(multiple, kIq4Levels[static_cast<std::size_t>(cheapest.code[4 * b])]);
        seen[b] |= 1u << static_cast<unsigned>(cheapest.code[4 * b]);
        EXPECT_GE(cheapest.price[4 * b], before[b]);
        before[b] = cheapest.price[4 * b];
        double least = 0;
        for (std::size_t lane = 4 * b; lane < 4 * b + 4; ++lane) {
          double of_group = 1e300;
          for (const auto& cell : cells.vectors) {
            for (const Vector& vector : cell) {
              double cost = 0;
              for (std::size_t j = 0; j < kGroup; ++j) {
                const double y = double{multiple} * double{kRowScale} * double{vector[j]};
                cost += double{w[j][lane]} * y * (y - 2 * double{x[j][lane]});
              }
              of_group = std::min(of_group, cost);
            }
          }
          least += of_group;
        }
        const double miss =
            (double{cheapest.price[4 * b]} - least) / (double{energy[4 * b]} + std::abs(least));
        EXPECT_LT(std::abs(miss), 0.12) << multiple;
        squares += miss * miss;
        ++count;
      }
    }
    for (const unsigned codes : seen) EXPECT_EQ(__builtin_popcount(codes), 8);
  }
  EXPECT_LT(std::sqrt(squares / count), 0.02);
}

}  // namespace
}  // namespace sluice::inline SLUICE_ISA
