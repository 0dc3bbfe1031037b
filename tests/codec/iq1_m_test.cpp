// IQ1_M's encoder against brute force over the whole codebook, and where quantizers go wrong.

#include "codec/i_quants/iq1_m.cpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/float16.h"
#include "codec/distortion.h"
#include "codec/i_quants/iq1_search.cpp"
#include "sluice/codec.h"

namespace sluice {
namespace {

constexpr std::size_t kBlock = BlockIq1M::kWeights;

std::vector<float> read_floats(const std::string& name) {
  std::ifstream file(SLUICE_TEST_DATA "/baselines/" + name, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::vector<float> values(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}

const Codec& codec() {
  return *find_codec(TensorType::iq1_m);
}

std::vector<std::byte> encode(const std::vector<float>& x, const float* importance,
                              std::byte dirt = std::byte{0}) {
  std::vector<std::byte> blocks(x.size() / kBlock * sizeof(BlockIq1M), dirt);
  codec().encode({x.data(), 1, x.size(), importance}, blocks.data());
  return blocks;
}

std::vector<float> decode(const std::vector<std::byte>& blocks) {
  std::vector<float> values(blocks.size() / sizeof(BlockIq1M) * kBlock);
  codec().decode(blocks.data(), values.data(), values.size());
  return values;
}

std::vector<float> round_trip(const std::vector<float>& x, const float* importance) {
  return decode(encode(x, importance));
}

const BlockIq1M& as_block(const std::vector<std::byte>& blocks) {
  return *reinterpret_cast<const BlockIq1M*>(blocks.data());
}

/// Heavy-tailed values with log-normal importance, like trained weights and activations.
struct Sample {
  std::vector<float> x;
  std::vector<float> q;
};
Sample heavy_tailed(std::size_t elements, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Sample sample;
  for (std::size_t i = 0; i < elements; ++i) {
    sample.x.push_back(0.02f * normal(random) * std::exp(0.4f * normal(random)));
    sample.q.push_back(std::exp(normal(random)));
  }
  return sample;
}

/// The weights that the encoder's doc says it minimises under.
std::vector<double> error_weights(const float* x, const float* q) {
  double mean_xx = 0;
  double mean_q = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    mean_xx += double{x[i]} * x[i] / kBlock;
    mean_q += double{q[i]} / kBlock;
  }
  std::vector<double> weights(kBlock);
  for (std::size_t i = 0; i < kBlock; ++i) {
    weights[i] = (q[i] + 0.2 * mean_q) * std::sqrt(6 * mean_xx + double{x[i]} * x[i]);
  }
  return weights;
}

struct Sums {
  double xx = 0;
  double xy = 0;
  double yy = 0;
  double refit_error() const { return yy > 0 ? xx - xy * xy / yy : xx; }
};

/// The best of all codes, shifts and scales for super-block scale d; y is for d = 1.
Sums exhaustive(const float* x, const std::vector<double>& w, double d) {
  Sums total;
  for (std::size_t b = 0; b < BlockIq1M::kSubBlocks; ++b) {
    Sums best;
    double least = std::numeric_limits<double>::infinity();
    for (int scale = 0; scale < 8; ++scale) {
      const double multiple = 2 * scale + 1;
      Sums sub_block;
      for (std::size_t start = 16 * b; start < 16 * b + 16; start += 8) {
        Sums group;
        double least_group = std::numeric_limits<double>::infinity();
        for (const auto& entry : kIq1sCodebook) {
          for (const double shift : {0.125, -0.125}) {
            Sums sums;
            for (std::size_t j = 0; j < 8; ++j) {
              const double y = multiple * (entry[j] + shift);
              sums.xy += w[start + j] * x[start + j] * y;
              sums.yy += w[start + j] * y * y;
            }
            const double error = d * (d * sums.yy - 2 * sums.xy);
            if (error < least_group) {
              least_group = error;
              group = sums;
            }
          }
        }
        sub_block.xy += group.xy;
        sub_block.yy += group.yy;
      }
      const double error = d * (d * sub_block.yy - 2 * sub_block.xy);
      if (error < least) {
        least = error;
        best = sub_block;
      }
    }
    total.xy += best.xy;
    total.yy += best.yy;
  }
  for (std::size_t i = 0; i < kBlock; ++i) total.xx += w[i] * x[i] * x[i];
  return total;
}

TEST(Iq1MSearch, IsWithinAQuarterPercentOfTheWholeCodebook) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(0.7f, 2.0f);
  double found = 0;
  double best = 0;
  for (int repeat = 0; repeat < 8; ++repeat) {
    constexpr std::size_t kLanes = iq1::kGroups;
    float x[8][kLanes];
    float w[8][kLanes];
    float wx[8][kLanes];
    float scale[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      scale[lane] = uniform(random);
      for (std::size_t j = 0; j < 8; ++j) {
        x[j][lane] = normal(random);
        w[j][lane] = std::exp(normal(random));
        wx[j][lane] = w[j][lane] * x[j][lane];
      }
    }
    iq1::Groups groups;
    iq1::GroupFloats turned_w[8];
    iq1::GroupFloats turned_wx[8];
    for (std::size_t j = 0; j < 8; ++j) {
      groups.x[j] = iq1::GroupFloats::load(x[j]);
      turned_w[j] = iq1::GroupFloats::load(w[j]);
      turned_wx[j] = iq1::GroupFloats::load(wx[j]);
    }
    iq1::prepare(turned_w, turned_wx, groups);
    iq1::Choice choice;
    iq1::search<iq1::kAllSets>(groups, iq1::GroupFloats::load(scale), choice);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto error = [&](std::size_t entry, double shift) {
        double sum = 0;
        for (std::size_t j = 0; j < 8; ++j) {
          const double y = scale[lane] * (kIq1sCodebook[entry][j] + shift);
          sum += w[j][lane] * (x[j][lane] - y) * (x[j][lane] - y);
        }
        return sum;
      };
      const auto code = static_cast<unsigned>(choice.code[lane]);
      const std::size_t entry = iq1::kEntryOfVector[code % iq1::kNegativeShift];
      ASSERT_LT(entry, kIq1sCodebook.size());
      const double chosen = error(entry, code & iq1::kNegativeShift ? -0.125 : 0.125);
      double least = chosen;
      for (std::size_t other = 0; other < kIq1sCodebook.size(); ++other) {
        least = std::min({least, error(other, 0.125), error(other, -0.125)});
      }
      found += chosen;
      best += least;
      double xx = 0;
      double size = 0;  // of the terms that are rounded
      for (std::size_t j = 0; j < 8; ++j) {
        xx += double{wx[j][lane]} * x[j][lane];
        size += w[j][lane] * (std::abs(x[j][lane]) + scale[lane]) * scale[lane];
      }
      const double s = scale[lane];
      EXPECT_NEAR(xx + s * (s * choice.yy[lane] - choice.twice_xy[lane]), chosen, 1e-3 * size)
          << "what the search says of its choice";
    }
  }
  EXPECT_LE(found, 1.0025 * best);
}

TEST(Iq1MEncode, IsWithinAPercentOfTheExhaustiveSearch) {
  std::vector<Sample> samples;
  for (const std::string set : {"synthetic", "trained"}) {
    const std::vector<float> rows = read_floats(set + ".rows.f32");
    const std::vector<float> importance = read_floats(set + ".importance.f32");
    for (std::size_t start = 0; start < 3 * 20 * kBlock; start += 20 * kBlock) {
      Sample sample;
      for (std::size_t i = start; i < start + kBlock; ++i) {
        sample.x.push_back(rows[i]);
        sample.q.push_back(importance[i % importance.size()]);
      }
      samples.push_back(sample);
    }
  }
  samples.push_back(heavy_tailed(kBlock, 1));
  samples.push_back(heavy_tailed(kBlock, 2));

  double found = 0;
  double best = 0;
  for (const Sample& sample : samples) {
    const std::vector<double> w = error_weights(sample.x.data(), sample.q.data());
    const std::vector<float> decoded = round_trip(sample.x, sample.q.data());
    Sums sums;
    for (std::size_t i = 0; i < kBlock; ++i) {
      sums.xx += w[i] * sample.x[i] * sample.x[i];
      sums.xy += w[i] * sample.x[i] * decoded[i];
      sums.yy += w[i] * decoded[i] * decoded[i];
    }
    found += sums.refit_error() / sums.xx;

    // Starts around the encoder's own scale, each refitted once.
    const double d = f16_to_f32(as_block(encode(sample.x, sample.q.data())).d());
    double least = std::numeric_limits<double>::infinity();
    for (const double factor : {0.7, 0.8, 0.9, 1.0, 1.15}) {
      const Sums first = exhaustive(sample.x.data(), w, d * factor);
      const Sums second = exhaustive(sample.x.data(), w, first.xy / first.yy);
      least = std::min({least, first.refit_error(), second.refit_error()});
    }
    best += least / sums.xx;
  }
  RecordProperty("ratio", std::to_string(found / best));
  EXPECT_LE(found, 1.01 * best);
  EXPECT_GE(found, 0.98 * best) << "brute force is no judge";
}

/// What the better of the peers reaches under error_weights() on the same rows, with the best
/// factor for each super-block.
constexpr std::array<double, 2> kPeersWeightedErrors = {0.1447452, 0.1150218};

TEST(Iq1MEncode, BothEffortsBeatThePeers) {
  std::ifstream file(SLUICE_TEST_DATA "/baselines/errors.json");
  const nlohmann::json peers = nlohmann::json::parse(file)["types"]["iq1_m"];
  for (const std::size_t set : {0, 1}) {
    const std::string set_name = set == 0 ? "synthetic" : "trained";
    const std::vector<float> rows = read_floats(set_name + ".rows.f32");
    const std::vector<float> importance = read_floats(set_name + ".importance.f32");
    for (const Effort effort : {Effort::fast, Effort::best}) {
      std::vector<std::byte> blocks(rows.size() / kBlock * sizeof(BlockIq1M));
      codec().encode({rows.data(), rows.size() / importance.size(), importance.size(),
                      importance.data(), effort},
                     blocks.data());
      const std::vector<float> decoded = decode(blocks);
      double error = 0;
      double size = 0;
      for (std::size_t start = 0; start < rows.size(); start += kBlock) {
        const float* x = rows.data() + start;
        const std::vector<double> w =
            error_weights(x, importance.data() + start % importance.size());
        Sums sums;
        for (std::size_t i = 0; i < kBlock; ++i) {
          sums.xx += w[i] * x[i] * x[i];
          sums.xy += w[i] * x[i] * decoded[start + i];
          sums.yy += w[i] * decoded[start + i] * decoded[start + i];
        }
        error += sums.refit_error();
        size += sums.xx;
      }
      const std::string label = set_name + " " + std::string(name(effort));
      const double ratio = error / size / kPeersWeightedErrors[set];
      RecordProperty(label, std::to_string(ratio));
      EXPECT_LE(ratio, effort == Effort::best ? 0.98 : 1.0) << label;
      EXPECT_GE(ratio, 0.9) << label << ": too good to be true";
      EXPECT_LE(testing_support::refit_error(rows, decoded, importance),
                peers[set_name]["ik_llama.cpp"]["refit"].get<double>())
          << label;
    }
  }
}

TEST(Iq1MEncode, IsUnbiased) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Sample sample = heavy_tailed(kBlock, seed);
    const std::vector<double> w = error_weights(sample.x.data(), sample.q.data());
    const std::vector<float> y = round_trip(sample.x, sample.q.data());
    double xx = 0;
    double xy = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      xx += w[i] * sample.x[i] * sample.x[i];
      xy += w[i] * sample.x[i] * y[i];
    }
    EXPECT_NEAR(xy / xx, 1, 0x1p-10) << "but for rounding to fp16";
  }
}

TEST(Iq1MEncode, IgnoresUnitsThatArePowersOfTwo) {
  const Sample sample = heavy_tailed(2 * kBlock, 3);
  const std::vector<float> y = round_trip(sample.x, sample.q.data());
  Sample scaled = sample;
  for (float& x : scaled.x) x *= 0x1p6f;
  for (float& q : scaled.q) q *= 0x1p-90f;
  const std::vector<float> scaled_y = round_trip(scaled.x, scaled.q.data());
  for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(scaled_y[i], y[i] * 0x1p6f) << i;
}

TEST(Iq1MEncode, TakesNoImportanceAsOnes) {
  const Sample sample = heavy_tailed(2 * kBlock, 4);
  const std::vector<float> ones(sample.x.size(), 1.0f);
  const std::vector<float> zeros(sample.x.size(), 0.0f);
  EXPECT_EQ(encode(sample.x, nullptr), encode(sample.x, ones.data()));
  EXPECT_EQ(encode(sample.x, nullptr), encode(sample.x, zeros.data()));
}

TEST(Iq1MEncode, WritesTheSameBytesWhateverWasThereAndHoweverRowsAreCut) {
  const Sample sample = heavy_tailed(8 * kBlock, 5);
  const std::vector<std::byte> row = encode(sample.x, sample.q.data());
  EXPECT_EQ(row, encode(sample.x, sample.q.data(), std::byte{0xff}));
  std::vector<std::byte> pieces;
  for (std::size_t start = 0; start < sample.x.size(); start += kBlock) {
    const std::vector<float> piece(sample.x.begin() + static_cast<std::ptrdiff_t>(start),
                                   sample.x.begin() + static_cast<std::ptrdiff_t>(start + kBlock));
    const std::vector<std::byte> bytes = encode(piece, sample.q.data() + start);
    pieces.insert(pieces.end(), bytes.begin(), bytes.end());
  }
  EXPECT_EQ(row, pieces);

  // Rows share one importance row.
  const std::vector<float> twice = [&] {
    std::vector<float> values = sample.x;
    values.insert(values.end(), sample.x.begin(), sample.x.end());
    return values;
  }();
  std::vector<std::byte> two(2 * row.size());
  codec().encode({twice.data(), 2, sample.x.size(), sample.q.data()}, two.data());
  EXPECT_TRUE(std::equal(row.begin(), row.end(), two.begin()));
  EXPECT_TRUE(
      std::equal(row.begin(), row.end(), two.begin() + static_cast<std::ptrdiff_t>(row.size())));
}

TEST(Iq1MEncode, CodesZerosAsZeros) {
  std::vector<float> x(2 * kBlock, 0.0f);
  std::fill(x.begin() + kBlock, x.end(), -0.0f);
  for (const float y : round_trip(x, nullptr)) EXPECT_EQ(std::bit_cast<std::uint32_t>(y), 0u);
}

// The format has no zero where d is not zero: the least magnitude it has is what zeros must get.
TEST(Iq1MEncode, GivesAZeroSubBlockTheLeastMagnitude) {
  for (const float importance : {1.0f, 0.0f}) {
    Sample sample = heavy_tailed(kBlock, 6);
    for (std::size_t i = 48; i < 64; ++i) {
      sample.x[i] = 0;
      sample.q[i] = importance;
    }
    const std::vector<std::byte> blocks = encode(sample.x, sample.q.data());
    const float least = f16_to_f32(as_block(blocks).d()) * 0.125f;
    ASSERT_GT(least, 0);
    const std::vector<float> y = decode(blocks);
    for (std::size_t i = 48; i < 64; ++i) EXPECT_EQ(std::abs(y[i]), least) << i;
  }
}

TEST(Iq1MEncode, KeepsOneOutlierInZeros) {
  for (const float value : {1.0f, -3.5f, 1e-4f, 1e4f}) {
    for (const std::size_t place : {0, 7, 8, 100, 255}) {
      std::vector<float> x(kBlock, 0.0f);
      x[place] = value;
      const std::vector<float> y = round_trip(x, nullptr);
      double error = 0;
      for (std::size_t i = 0; i < kBlock; ++i) {
        error += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
        if (i != place) {
          EXPECT_LE(std::abs(y[i]), 0.16f * std::abs(value)) << i;
        }
      }
      EXPECT_NEAR(y[place] / value, 1, 0.3) << value << " at " << place;
      EXPECT_LT(error, 0.35 * double{value} * value);
    }
  }
}

/// Every kind of value with every kind of importance: finite, and no worse than zeros.
TEST(Iq1MEncode, SurvivesExtremes) {
  const std::array<float, 9> magnitudes = {1e-45f, 1e-38f, 1e-20f, 3e-8f, 1e-3f,
                                           1.0f,   7e4f,   1e20f,  3e38f};
  std::mt19937 random(11);
  std::uniform_real_distribution<float> uniform(-1, 1);
  const auto pick = [&] { return magnitudes[random() % magnitudes.size()]; };
  for (int repeat = 0; repeat < 3000; ++repeat) {
    std::vector<float> x(kBlock);
    std::vector<float> q(kBlock);
    const float x_magnitude = pick();
    const float q_magnitude = pick();
    const bool mixed_x = random() % 3 == 0;
    const bool mixed_q = random() % 3 == 0;
    const unsigned sparse = random() % 3;
    for (std::size_t i = 0; i < kBlock; ++i) {
      x[i] = uniform(random) * (mixed_x ? pick() : x_magnitude);
      q[i] = std::abs(uniform(random)) * (mixed_q ? pick() : q_magnitude);
      if (sparse == 1 && random() % 50 != 0) x[i] = 0;
      if (sparse == 2 && random() % 4 != 0) q[i] = 0;
    }
    const float* importance = repeat % 5 == 0 ? nullptr : q.data();
    const std::vector<std::byte> blocks = encode(x, importance);
    ASSERT_EQ(blocks, encode(x, importance, std::byte{0x5a}));
    const std::vector<float> y = decode(blocks);
    double error = 0;
    double zeros = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      ASSERT_TRUE(std::isfinite(y[i])) << repeat << " element " << i;
      const double weight = importance == nullptr ? 1.0 : importance[i];
      error += weight * (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
      zeros += weight * double{x[i]} * x[i];
    }
    ASSERT_LE(error, zeros * (1 + 1e-5)) << repeat;
  }
}

}  // namespace
}  // namespace sluice
