// What single precision says of blocks that are better than zeros, against long double.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "codec/random_rows.h"
#include "codec/weighting.h"

namespace sluice {
namespace {

using simd::Floats;
using testing_support::Random;

constexpr std::size_t kRows = 16;
constexpr std::size_t kLanes = Floats::kLanes;
using Rows = std::array<std::array<float, kLanes>, kRows>;

struct Sums {
  long double xy = 0;
  long double yy = 0;

  long double gain(float scale) const { return (2 * xy - scale * yy) * scale; }
};

template <typename Gain>
void add(const Rows& x, const Rows& q, const Rows& y, Gain& gain) {
  for (std::size_t j = 0; j < kRows; ++j) {
    gain.add(Floats::load(x[j].data()), Floats::load(q[j].data()), Floats::load(y[j].data()));
  }
}

// Scales lie close to twice the least-squares one, where coding becomes worse than zeros; y is any
// size, and so is importance.
TEST(SureGain, IsSureOfWhatIsTrueOnly) {
  Random random("gain");
  std::size_t sure = 0;
  std::size_t unsure = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    Rows x;
    Rows q;
    Rows y;
    Sums sums;
    const double size_of_q = random.magnitude(-30, 0);
    const double size_of_y = random.magnitude(-8, 3);
    const double noise = random.magnitude(-3, 2);
    for (std::size_t j = 0; j < kRows; ++j) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        x[j][lane] = static_cast<float>(random.normal());
        q[j][lane] = static_cast<float>(size_of_q * random.magnitude(-2, 0));
        y[j][lane] = static_cast<float>(size_of_y * (double{x[j][lane]} + noise * random.normal()));
        const long double qy = static_cast<long double>(q[j][lane]) * y[j][lane];
        sums.xy += qy * x[j][lane];
        sums.yy += qy * y[j][lane];
      }
    }
    if (!(sums.yy > 0)) continue;
    const double beside = random.magnitude(-9, 0) * (random.normal() < 0 ? -1 : 1);
    const float scale =
        static_cast<float>(static_cast<double>(2 * sums.xy / sums.yy) * (1 + beside));
    SureGain gain;
    add(x, q, y, gain);
    const bool better = sums.gain(scale) > 0;
    if (gain.positive(scale)) {
      ASSERT_TRUE(better) << "trial " << trial;
      ++sure;
    } else if (better) {
      ++unsure;
    }
  }
  EXPECT_GT(sure, 3000u);
  EXPECT_GT(unsure, 1000u);
}

TEST(SureGain, LeavesToDoublesWhatItCannotTell) {
  const std::uint16_t one = 0x3c00;
  const std::uint16_t half = 0x3800;
  // y = 2 x at scale 1 is exactly as good as zeros; at half of that, exact.
  const auto add_all = [](auto& gain) { gain.add(Floats(1), Floats(1e-40f), Floats(2)); };
  EXPECT_EQ(first_better_than_zeros({one, half}, 0, add_all), half);
  EXPECT_EQ(first_better_than_zeros({half, one}, 0, add_all), half);
  EXPECT_EQ(first_better_than_zeros({one, one}, 0, add_all), 0);
}

}  // namespace
}  // namespace sluice
