// First halves of entries against brute force over the codebook.

#include "codec/i_quants/magnitude_first_halves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>

#include "codec/i_quants/iq3_s.h"
#include "codec/i_quants/iq3_xxs.h"

namespace sluice {
namespace {

using Bytes = simd::UnsignedBytes;

/// Costs of quarters up to `most`, which is drawn in to a byte.
template <typename Block>
void expect_best(unsigned most) {
  using Codebook = magnitudes::Sets<Block>;
  using Format = magnitudes::Format<Block>;
  constexpr std::size_t kQuarters = Codebook::kQuarters;
  std::mt19937 random(5);
  for (int times = 0; times < 40; ++times) {
    std::array<Bytes, kQuarters> first;
    std::array<Bytes, kQuarters> second;
    std::uint8_t lanes[Bytes::kLanes];
    const auto fill = [&](Bytes& bytes, unsigned limit) {
      for (std::uint8_t& lane : lanes) {
        lane = static_cast<std::uint8_t>(std::min(static_cast<unsigned>(random() % limit), 255u));
      }
      bytes = Bytes::load(lanes);
    };
    for (std::size_t i = 0; i < kQuarters; ++i) {
      fill(first[i], most);
      fill(second[i], most);
    }
    Bytes place;
    fill(place, Codebook::kOrder.count);
    const Bytes code = magnitudes::FirstHalves<Block>(first, second).best(place);
    for (std::size_t lane = 0; lane < Bytes::kLanes; ++lane) {
      unsigned least = 255;
      unsigned found = 1000;
      for (std::size_t entry = 0; entry < Block::kGrid.size(); ++entry) {
        if (Format::half_number(entry, 1) != Codebook::kOrder.second[place[lane]]) continue;
        const std::size_t half = Format::half_number(entry, 0);
        const unsigned cost = std::min(
            unsigned{first[half / kQuarters][lane]} + second[half % kQuarters][lane], 255u);
        least = std::min(cost, least);
        if (Codebook::first_code(entry) == code[lane]) found = cost;
      }
      ASSERT_NE(found, 1000u) << "there is no such entry";
      ASSERT_TRUE(found == least || least >= 254) << found << " and " << least;
    }
  }
}

TEST(MagnitudeFirstHalves, AreThoseOfBruteForce) {
  expect_best<BlockIq3S>(120);
  expect_best<BlockIq3Xxs>(120);
}

TEST(MagnitudeFirstHalves, ThereIsOneWhereAllCostsAreDrawnIn) {
  for (const unsigned most : {300u, 1000u, 10000u}) {
    expect_best<BlockIq3S>(most);
    expect_best<BlockIq3Xxs>(most);
  }
}

}  // namespace
}  // namespace sluice
