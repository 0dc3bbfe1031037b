// What is found in the cells of a target's region, beside all vectors.

#include "codec/trellis/near_regions.cpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "codec/random_rows.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kGroup = 8;
using Vector = std::array<float, kGroup>;

std::vector<Vector> all_magnitudes() {
  std::vector<Vector> vectors(kIq3KtBook.size());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    decode_trellis<kGroup>(static_cast<std::uint32_t>(i) + kIq3KtBook.offset, 1.0f,
                           vectors[i].data());
    for (float& integer : vectors[i]) integer = std::abs(integer);
  }
  return vectors;
}

/// 16 targets at a scale, with weights of errors that differ tenfold.
struct Groups {
  static constexpr float kScale = 0.01f;
  simd::Floats x[kGroup];
  simd::Floats w[kGroup];

  explicit Groups(testing_support::Random& random) {
    for (std::size_t j = 0; j < kGroup; ++j) {
      float values[16];
      float weights[16];
      for (std::size_t lane = 0; lane < 16; ++lane) {
        values[lane] = static_cast<float>(std::abs(37 * random.normal())) * kScale;
        weights[lane] = static_cast<float>(random.magnitude(-0.5, 0.5));
      }
      x[j] = simd::Floats::load(values);
      w[j] = simd::Floats::load(weights);
    }
  }
  double error(std::size_t lane, const Vector& vector) const {
    double sum = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      sum += w[j][lane] * std::pow(x[j][lane] / kScale - vector[j], 2);
    }
    return sum;
  }
};

/// Mean error of what is found, over the least.
double excess(std::size_t cells) {
  const std::vector<Vector> vectors = all_magnitudes();
  testing_support::Random random("near regions");
  double found = 0;
  double least = 0;
  for (int i = 0; i < 12; ++i) {
    const Groups groups(random);
    NearTargets<kGroup> targets;
    targets.set_weights(groups.w);
    targets.set_targets(groups.x, Groups::kScale);
    constexpr std::size_t kParts[16] = {};
    const NearRegionSearch<Iq3KtRegions> search(targets, kParts, cells);
    NearFinds<kGroup> finds;
    search.find(targets, search.aim(groups.x, Groups::kScale, targets, 0), finds);
    const TrellisIndices indices = search.indices(finds.places());
    Vector integers[16];
    finds.for_each_integer([&](std::size_t j, const simd::Floats& c) {
      for (std::size_t lane = 0; lane < 16; ++lane) integers[lane][j] = c[lane];
    });
    for (std::size_t lane = 0; lane < 16; ++lane) {
      EXPECT_EQ(integers[lane], vectors[indices[lane]]);
      double best = std::numeric_limits<double>::max();
      for (const Vector& vector : vectors) best = std::min(best, groups.error(lane, vector));
      least += best;
      found += groups.error(lane, integers[lane]);
    }
  }
  return found / least;
}

TEST(NearRegions, FewCellsHoldNearlyTheNearest) {
  EXPECT_LT(excess(48), 1.02);
  EXPECT_LT(excess(24), 1.06);
}

}  // namespace
}  // namespace sluice::inline SLUICE_ISA
