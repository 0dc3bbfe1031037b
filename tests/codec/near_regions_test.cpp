// What is found in the cells of a target's region, and in the one cell that a trial looks into, beside all
// vectors.

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
#include "codec/trellis/near_lists.cpp"

namespace sluice::inline SLUICE_ISA {
namespace {

template <std::size_t kGroup>
using Vector = std::array<float, kGroup>;

template <TrellisCodebook kBook>
std::vector<Vector<kBook.group>> all_vectors() {
  std::vector<Vector<kBook.group>> vectors(kBook.size());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    decode_trellis<kBook.group>(static_cast<std::uint32_t>(i) + kBook.offset, 1.0f,
                                vectors[i].data());
    if (!kBook.magnitudes) continue;
    for (float& integer : vectors[i]) integer = std::abs(integer);
  }
  return vectors;
}

/// 16 targets at a scale, with weights of errors that differ tenfold.
template <std::size_t kGroup>
struct Groups {
  simd::Floats x[kGroup];
  simd::Floats w[kGroup];
  float scale;

  Groups(testing_support::Random& random, float scale_, bool magnitudes) : scale(scale_) {
    for (std::size_t j = 0; j < kGroup; ++j) {
      float values[16];
      float weights[16];
      for (std::size_t lane = 0; lane < 16; ++lane) {
        const auto value = static_cast<float>(37 * random.normal()) * scale;
        values[lane] = magnitudes ? std::abs(value) : value;
        weights[lane] = static_cast<float>(random.magnitude(-0.5, 0.5));
      }
      x[j] = simd::Floats::load(values);
      w[j] = simd::Floats::load(weights);
    }
  }
  double error(std::size_t lane, const Vector<kGroup>& vector) const {
    double sum = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      sum += w[j][lane] * std::pow(x[j][lane] / scale - vector[j], 2);
    }
    return sum;
  }
};

/// Mean error of what is found, over the least in the same part of the codebook.
/// \tparam kBook  in how many parts
/// \param search  makes one, of targets and the parts in which their vectors are to be
template <TrellisCodebook kBook, std::size_t kParts, typename MakeSearch>
double excess(const MakeSearch& make_search) {
  constexpr std::size_t kGroup = kBook.group;
  const auto vectors = all_vectors<kBook>();
  testing_support::Random random("near regions");
  double found = 0;
  double least = 0;
  for (int i = 0; i < 12; ++i) {
    // Of either sign, where vectors have signs.
    const float scale = kBook.magnitudes || i % 2 == 0 ? 0.01f : -0.01f;
    const Groups<kGroup> groups(random, scale, kBook.magnitudes);
    NearTargets<kGroup> targets;
    targets.set_weights(groups.w);
    targets.set_targets(groups.x, scale);
    std::size_t parts[16];
    for (std::size_t lane = 0; lane < 16; ++lane) parts[lane] = lane % kParts;
    const auto search = make_search(targets, parts);
    NearFinds<kGroup> finds[search.kFinds];
    search.find(targets, search.aim(groups.x, scale, targets), finds);
    for (std::size_t f = 0; f < search.kFinds; ++f) {
      const TrellisIndices indices = search.indices(finds[f].places());
      Vector<kGroup> integers[16];
      finds[f].for_each_integer([&](std::size_t j, const simd::Floats& c) {
        for (std::size_t lane = 0; lane < 16; ++lane) integers[lane][j] = c[lane];
      });
      for (std::size_t lane = 0; lane < 16; ++lane) {
        const std::size_t part = search.kFinds == 1 ? parts[lane] : f;
        EXPECT_EQ(search.part(finds[f].place[lane]), part);
        EXPECT_EQ(indices[lane] / (kBook.size() / kParts), part);
        EXPECT_EQ(integers[lane], vectors[indices[lane]]);
        double best = std::numeric_limits<double>::max();
        for (std::size_t v = 0; v < kBook.size() / kParts; ++v) {
          best = std::min(best, groups.error(lane, vectors[part * (kBook.size() / kParts) + v]));
        }
        least += best;
        found += groups.error(lane, integers[lane]);
      }
    }
  }
  return found / least;
}

template <typename Regions, TrellisCodebook kBook>
double excess_of_cells(std::size_t cells) {
  return excess<kBook, Regions::Tree::kParts>(
      [&](const auto& targets, const std::size_t(&parts)[16]) {
        return NearRegionSearch<Regions>(targets, parts, cells);
      });
}

TEST(NearRegions, FewCellsHoldNearlyTheNearest) {
  EXPECT_LT((excess_of_cells<Iq3KtRegions, kIq3KtBook>(48)), 1.02);
  EXPECT_LT((excess_of_cells<Iq3KtRegions, kIq3KtBook>(24)), 1.06);
  EXPECT_LT((excess_of_cells<Iq4KtRegions, kIq4KtBook>(16)), 1.01);
}

TEST(NearLists, OneCellHoldsSomethingNear) {
  EXPECT_LT((excess<kIq4KtBook, Iq4KtLists::kParts>(
                [](const auto& targets, const std::size_t(&parts)[16]) {
                  return NearListSearch<Iq4KtLists>(targets, parts, {});
                })),
            1.1);
}

}  // namespace
}  // namespace sluice::inline SLUICE_ISA
