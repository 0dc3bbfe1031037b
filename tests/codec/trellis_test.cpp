// The search of trellis types beside one that leaves nothing out: with the row's scale as it was
// encoded, each sub-block's least error over all of its scales and all vectors.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <vector>

#include "codec/i_quants/levels.h"
#include "codec/random_rows.h"
#include "codec/trellis/codebook.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

constexpr std::size_t kColumns = 512;
constexpr std::size_t kMostGroup = 8;

struct TrellisType {
  TensorType type;
  unsigned bits;            ///< of an index
  std::size_t group;        ///< weights of a vector
  std::size_t parts;        ///< codebooks, of which a sub-block has one; 2: scales from -64 to 63
  bool magnitudes;          ///< signs are apart, and scales from 0 to 15
  float runtime_factor;     ///< of products of matrices
  double square_share;      ///< of the mean square in the weight of an error
  double importance_share;  ///< of the mean importance
  /// \param most  how much more error than the least
  double most_of_best;
  double most_of_fast;
};

/// Weights, and how their errors count.
struct Row {
  std::vector<float> x;
  std::vector<float> importance;
  std::vector<double> weight;
};

Row random_row(const TrellisType& type) {
  testing_support::Random random("trellis");
  Row row;
  for (std::size_t i = 0; i < kColumns; ++i) {
    row.x.push_back(static_cast<float>(random.heavy()));
    row.importance.push_back(static_cast<float>(random.magnitude(-0.5, 0.5)));
  }
  for (std::size_t i = 0; i < kColumns; ++i) {
    double squares = 0;
    double importance = 0;
    for (std::size_t j = i / 256 * 256; j < i / 256 * 256 + 256; ++j) {
      squares += std::pow(row.x[j], 2);
      importance += double{row.importance[j]};
    }
    row.weight.push_back((double{row.importance[i]} + type.importance_share * importance / 256) *
                         std::sqrt(type.square_share * squares / 256 + std::pow(row.x[i], 2)));
  }
  return row;
}

/// Weights behind a type's group are not used.
std::vector<std::array<float, kMostGroup>> vectors_of(const TrellisType& type) {
  std::vector<std::array<float, kMostGroup>> vectors(std::size_t{1} << type.bits);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    decode_trellis<kMostGroup>(static_cast<std::uint32_t>(i) + kTrellisOffset, 1,
                               vectors[i].data());
    if (!type.magnitudes) continue;
    for (float& integer : vectors[i]) integer = std::abs(integer);
  }
  return vectors;
}

/// The least error of 32 weights.
double least_error(const TrellisType& type, const Row& row, std::size_t first, float row_scale) {
  const auto vectors = vectors_of(type);
  std::vector<float> scales(std::begin(kIq4Levels), std::end(kIq4Levels));
  if (type.magnitudes) std::iota(scales.begin(), scales.end(), 0.0f);
  if (type.parts == 2) {
    scales.resize(128);
    std::iota(scales.begin(), scales.end(), -64.0f);
  }
  double least_of_parts = 1e300;
  for (std::size_t part = 0; part < type.parts; ++part) {
    const std::size_t size = vectors.size() / type.parts;
    std::vector<double> errors(std::size(scales));
    for (std::size_t group = first; group < first + 32; group += type.group) {
      std::vector<double> least(std::size(scales), 1e300);
      double norm = 0;
      for (std::size_t j = group; j < group + type.group; ++j)
        norm += row.weight[j] * std::pow(row.x[j], 2);
      for (std::size_t v = part * size; v < (part + 1) * size; ++v) {
        double xy = 0;
        double yy = 0;
        for (std::size_t j = 0; j < type.group; ++j) {
          const double x = type.magnitudes ? std::abs(row.x[group + j]) : row.x[group + j];
          const double y = vectors[v][j];
          xy += row.weight[group + j] * x * y;
          yy += row.weight[group + j] * y * y;
        }
        for (std::size_t s = 0; s < std::size(scales); ++s) {
          const double scale = double{scales[s]} * double{row_scale};
          least[s] = std::min(least[s], norm + scale * (scale * yy - 2 * xy));
        }
      }
      for (std::size_t s = 0; s < std::size(scales); ++s) errors[s] += least[s];
    }
    least_of_parts = std::min(least_of_parts, *std::min_element(errors.begin(), errors.end()));
  }
  return least_of_parts;
}

class Trellis : public testing::TestWithParam<TrellisType> {};

TEST_P(Trellis, IsHardlyWorseThanASearchOfEverything) {
  const TrellisType& type = GetParam();
  const Row row = random_row(type);
  for (const Effort effort : {Effort::fast, Effort::best}) {
    std::vector<std::byte> bytes(row_size(type.type, kColumns));
    const Codec& codec = *find_codec(type.type);
    codec.encode({.values = row.x.data(),
                  .rows = 1,
                  .row_elements = kColumns,
                  .importance = row.importance.data(),
                  .effort = effort,
                  .bias_correction = 0},
                 bytes.data());
    std::vector<float> decoded(kColumns);
    codec.decode(bytes.data(), decoded.data(), kColumns);
    float row_scale = 0;
    std::memcpy(&row_scale, bytes.data(), sizeof row_scale);
    row_scale *= type.runtime_factor;
    double own = 0;
    double least = 0;
    for (std::size_t i = 0; i < kColumns; ++i) {
      own += row.weight[i] * std::pow(row.x[i] - type.runtime_factor * decoded[i], 2);
    }
    for (std::size_t i = 0; i < kColumns; i += 32) least += least_error(type, row, i, row_scale);
    EXPECT_LE(own, least * (effort == Effort::fast ? type.most_of_fast : type.most_of_best))
        << name(effort);
    EXPECT_GE(own, least * 0.9999) << "the search of everything left something out";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Types, Trellis,
    testing::Values(TrellisType{TensorType::iq1_kt, 13, 8, 1, false, 1, 120, 0.1, 1.05, 1.10},
                    TrellisType{TensorType::iq2_kt, 16, 8, 1, false, 1.05f, 120, 0.1, 1.10, 1.15},
                    TrellisType{TensorType::iq3_kt, 16, 8, 1, true, 1.01f, 50, 0.02, 1.03, 1.04},
                    TrellisType{TensorType::iq4_kt, 16, 4, 2, false, 1, 200, 0.02, 1.05, 1.07}),
    [](const auto& test) { return std::string(name(test.param.type)); });

}  // namespace
}  // namespace sluice
