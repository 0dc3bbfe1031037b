// The searches of the IQ encoders against brute force: what a block holds must be the best, or
// within a stated bound of the best, of all that it could hold.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/float16.h"
#include "codec/distortion.h"
#include "codec/grids.h"
#include "codec/i_quants/iq2_k.cpp"
#include "codec/i_quants/iq2_xxs.cpp"
#include "codec/i_quants/iq3_k.cpp"
#include "codec/i_quants/iq4_k.cpp"
#include "codec/i_quants/iq4_nl.cpp"
#include "codec/i_quants/iq4_xs.cpp"
#include "codec/i_quants/iq5_k.cpp"
#include "codec/i_quants/iq6_k.cpp"
#include "sluice/codec.h"

namespace sluice {
namespace {

/// One row of heavy-tailed values with importance over three orders of magnitude. Uniform numbers
/// of the generator only: the standard's distributions differ between libraries.
struct Row {
  std::vector<float> x;
  std::vector<float> q;
};

Row make_row(std::size_t elements, unsigned seed) {
  std::mt19937 random(seed);
  const auto uniform = [&] { return (static_cast<double>(random()) + 0.5) / 4294967296.0; };
  Row row;
  for (std::size_t i = 0; i < elements; ++i) {
    const double u = 2 * uniform() - 1;
    row.x.push_back(static_cast<float>(0.02 * u / std::sqrt(1.02 - std::fabs(u))));
    row.q.push_back(static_cast<float>(std::pow(10.0, 3 * uniform() - 2)));
  }
  return row;
}

/// The weights that the encoders minimise, from their definition.
std::vector<double> error_weights(const Row& row, std::size_t block) {
  std::vector<double> w;
  for (std::size_t start = 0; start < row.x.size(); start += block) {
    double sum = 0;
    for (std::size_t i = start; i < start + block; ++i) sum += double{row.x[i]} * row.x[i];
    const double sigma2 = 2 * sum / static_cast<double>(block);
    for (std::size_t i = start; i < start + block; ++i) {
      w.push_back(row.q[i] * std::sqrt(sigma2 + double{row.x[i]} * row.x[i]));
    }
  }
  return w;
}

template <typename Block>
std::vector<Block> encode(TensorType type, const Row& row) {
  std::vector<Block> blocks(byte_size(type, row.x.size()) / sizeof(Block));
  // Codes are the best for the scale of least squares.
  find_codec(type)->encode({.values = row.x.data(),
                            .rows = 1,
                            .row_elements = row.x.size(),
                            .importance = row.q.data(),
                            .bias_correction = 0},
                           reinterpret_cast<std::byte*>(blocks.data()));
  return blocks;
}

template <typename Block>
std::vector<float> decode(TensorType type, const std::vector<Block>& blocks, std::size_t elements) {
  std::vector<float> values(elements);
  find_codec(type)->decode(reinterpret_cast<const std::byte*>(blocks.data()), values.data(),
                           elements);
  return values;
}

std::vector<double> read_levels(const std::string& type) {
  std::ifstream file(SLUICE_TEST_DATA "/grids/values.json");
  return nlohmann::json::parse(file)[type].get<std::vector<double>>();
}

/// Least error of a group of 8 at a scale: all entries, all 128 sign patterns.
double best_group_error(const std::vector<std::vector<int>>& grid, const float* x, const double* w,
                        double scale) {
  double best = std::numeric_limits<double>::infinity();
  for (const std::vector<int>& entry : grid) {
    std::array<std::array<double, 2>, 8> term;  // [position][minus]
    for (std::size_t j = 0; j < 8; ++j) {
      for (int minus = 0; minus < 2; ++minus) {
        const double off = x[j] - (minus ? -scale : scale) * entry[j];
        term[j][static_cast<std::size_t>(minus)] = w[j] * off * off;
      }
    }
    for (unsigned index = 0; index < 128; ++index) {
      double error = term[7][static_cast<std::size_t>(std::popcount(index) % 2)];
      for (std::size_t j = 0; j < 7; ++j) error += term[j][index >> j & 1];
      best = std::min(best, error);
    }
  }
  return best;
}

TEST(Iq2XxsSearch, CodesAreTheExhaustiveBestAndScalesNearlySo) {
  const auto grid = testing_support::read_grid("iq2xxs_grid.txt", 8);
  ASSERT_EQ(grid.size(), 256u);
  const Row row = make_row(2 * 256, 1);
  const std::vector<double> w = error_weights(row, 256);
  const auto blocks = encode<BlockIq2Xxs>(TensorType::iq2_xxs, row);
  const std::vector<float> y = decode(TensorType::iq2_xxs, blocks, row.x.size());
  double total = 0;
  double best_total = 0;
  for (std::size_t sub_block = 0; sub_block < row.x.size() / 32; ++sub_block) {
    const BlockIq2Xxs& block = blocks[sub_block / 8];
    const double d = f16_to_f32(block.d);
    const int l = block.sub_block[sub_block % 8].signs_and_scale[1] >> 12;
    double best = std::numeric_limits<double>::infinity();
    for (int other = 0; other < 16; ++other) {
      double error = 0;
      for (std::size_t i = 32 * sub_block; i < 32 * sub_block + 32; i += 8) {
        const double group = best_group_error(grid, &row.x[i], &w[i], d * (other + 0.5) / 4);
        error += group;
        if (other != l) continue;
        double coded = 0;
        for (std::size_t j = i; j < i + 8; ++j) {
          coded += w[j] * (double{row.x[j]} - y[j]) * (double{row.x[j]} - y[j]);
        }
        EXPECT_LE(coded, group * (1 + 1e-5)) << "group at " << i;
        EXPECT_GE(coded, group * (1 - 1e-5)) << "group at " << i << ": no such code";
        total += coded;
      }
      best = std::min(best, error);
    }
    best_total += best;
  }
  EXPECT_LE(total, 1.01 * best_total);
}

/// Every weight has the nearest level of its sub-block's table and scale; tables and scales are
/// nearly the best of all for the super-block's scale: to within `bound`. Codes are those of a
/// scale that may be a step of fp16 off the stored one, `scale_step` as a share of it.
template <typename Block>
void expect_level_search(TensorType type, const std::string& grid, std::size_t sub_block_size,
                         const std::vector<int>& scales, double bound = 1.02,
                         double scale_step = 0) {
  const std::vector<double> levels = read_levels(grid);
  constexpr std::size_t kTables = requires(Block block) {
    block.extra;
  }
  ? 2 : 1;
  const std::size_t count = levels.size() / kTables;
  const auto table_of = [](const Block& block, unsigned b) -> std::size_t {
    if constexpr (kTables == 2) return block.extra >> b & 1u;
    return b * 0;
  };
  const Row row = make_row(8 * 256, 2);
  const std::vector<double> w = error_weights(row, 256);
  const auto blocks = encode<Block>(type, row);
  const std::vector<float> y = decode(type, blocks, row.x.size());
  double total = 0;
  double best_total = 0;
  for (std::size_t start = 0; start < row.x.size(); start += sub_block_size) {
    const Block& block = blocks[start / 256];
    const auto b = static_cast<unsigned>(start % 256 / sub_block_size);
    const double d = f16_to_f32(block.d);
    ASSERT_NE(d, 0);
    double best = std::numeric_limits<double>::infinity();
    bool found = false;
    for (const int scale : scales) {
      for (std::size_t table = 0; table < kTables; ++table) {
        double error = 0;
        const bool coded = block.scale(b) == scale && table_of(block, b) == table;
        for (std::size_t i = start; i < start + sub_block_size; ++i) {
          double nearest = std::numeric_limits<double>::infinity();
          for (std::size_t k = 0; k < count; ++k) {
            nearest =
                std::min(nearest, std::fabs(row.x[i] - d * scale * levels[table * count + k]));
          }
          error += w[i] * nearest * nearest;
          if (coded) {
            EXPECT_NEAR(std::fabs(double{row.x[i]} - y[i]), nearest,
                        1e-7 + 2 * scale_step * std::fabs(row.x[i]))
                << i;
          }
        }
        best = std::min(best, error);
        if (coded) total += error;
        found |= coded;
      }
    }
    EXPECT_TRUE(found) << "scale " << block.scale(b) << " is none of the format's";
    best_total += best;
  }
  EXPECT_LE(total, bound * best_total);
}

std::vector<int> range(int first, int last, int step) {
  std::vector<int> values;
  for (int value = first; value <= last; value += step) values.push_back(value);
  return values;
}

TEST(LevelSearch, Iq2K) {
  expect_level_search<BlockIq2K>(TensorType::iq2_k, "iq2_k", 16, range(-8, 7, 1));
}

TEST(LevelSearch, Iq3K) {
  expect_level_search<BlockIq3K>(TensorType::iq3_k, "iq3_k", 16, range(-31, 31, 2));
}

TEST(LevelSearch, Iq4K) {
  expect_level_search<BlockIq4K>(TensorType::iq4_k, "iq4_k", 16, range(-32, 31, 1));
}

TEST(LevelSearch, Iq5K) {
  expect_level_search<BlockIq5K>(TensorType::iq5_k, "iq5_k", 16, range(-32, 31, 1), 1.03, 0x1p-11);
}

TEST(LevelSearch, Iq6K) {
  expect_level_search<BlockIq6K>(TensorType::iq6_k, "iq6_k", 16, range(-128, 127, 1), 1.15);
}

TEST(LevelSearch, Iq4Xs) {
  expect_level_search<BlockIq4Xs>(TensorType::iq4_xs, "iq4_nl", 32, range(-32, 31, 1));
}

TEST(LevelSearch, Iq4NlIsNearTheBestOfAllScales) {
  const std::vector<double> levels = read_levels("iq4_nl");
  // 19 blocks: one batch of lanes that is full, one that is not.
  const Row row = make_row(19 * 32, 3);
  const std::vector<double> w = error_weights(row, 32);
  const auto blocks = encode<BlockIq4Nl>(TensorType::iq4_nl, row);
  const std::vector<float> y = decode(TensorType::iq4_nl, blocks, row.x.size());
  const auto error_at = [&](std::size_t start, double d) {
    double error = 0;
    for (std::size_t i = start; i < start + 32; ++i) {
      double nearest = std::numeric_limits<double>::infinity();
      for (const double level : levels) {
        nearest = std::min(nearest, std::fabs(row.x[i] - d * level));
      }
      error += w[i] * nearest * nearest;
    }
    return error;
  };
  double total = 0;
  double best_total = 0;
  for (std::size_t start = 0; start < row.x.size(); start += 32) {
    double coded = 0;
    double largest = 0;
    for (std::size_t i = start; i < start + 32; ++i) {
      coded += w[i] * (double{row.x[i]} - y[i]) * (double{row.x[i]} - y[i]);
      largest = std::max(largest, std::fabs(double{row.x[i]}));
    }
    EXPECT_NEAR(coded, error_at(start, f16_to_f32(blocks[start / 32].d)), 1e-6 * coded);
    total += coded;
    double best = std::numeric_limits<double>::infinity();
    for (double d = largest / 250; d < largest / 50; d *= 1.001) {
      best = std::min({best, error_at(start, d), error_at(start, -d)});
    }
    best_total += best;
  }
  EXPECT_LE(total, 1.02 * best_total);
}

constexpr std::array kEncoded = {TensorType::iq2_xxs, TensorType::iq4_nl,  TensorType::iq2_k,
                                 TensorType::iq3_k,   TensorType::iq4_k,   TensorType::iq5_k,
                                 TensorType::iq6_k,   TensorType::iq4_xs,  TensorType::iq2_xs,
                                 TensorType::iq2_s,   TensorType::iq3_xxs, TensorType::iq3_s};

std::vector<float> round_trip(TensorType type, const Row& row) {
  return decode(type, encode<std::byte>(type, row), row.x.size());
}

TEST(IqEncoders, ZeroSubBlocksAreExactWhereTheFormatHasZero) {
  for (const TensorType type :
       {TensorType::iq2_k, TensorType::iq4_k, TensorType::iq5_k, TensorType::iq6_k}) {
    Row row = make_row(256, 4);
    std::fill(row.x.begin() + 48, row.x.begin() + 64, 0.0f);
    const std::vector<float> y = round_trip(type, row);
    for (std::size_t i = 48; i < 64; ++i) EXPECT_EQ(y[i], 0) << name(type) << " " << i;
    EXPECT_NE(y[0], 0);
  }
}

TEST(IqEncoders, AnOutlierWithoutImportanceSpoilsNothing) {
  for (const TensorType type : kEncoded) {
    Row row = make_row(256, 5);
    row.q[37] = 0;
    const auto error = [&](const Row& r) {
      const std::vector<float> y = round_trip(type, r);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) {
        sum += r.q[i] * (double{r.x[i]} - y[i]) * (double{r.x[i]} - y[i]);
      }
      return sum;
    };
    const double before = error(row);
    for (const float outlier : {1e4f, -3e38f}) {
      row.x[37] = outlier;
      EXPECT_LT(error(row), 1.3 * before) << name(type);
    }
  }
}

TEST(IqEncoders, ErrorDoesNotDependOnTheRangeOfValuesOrImportance) {
  for (const TensorType type : kEncoded) {
    const Row row = make_row(256, 6);
    const std::vector<float> y = round_trip(type, row);
    Row scaled = row;
    for (float& x : scaled.x) x *= 0x1p10f;
    for (float& q : scaled.q) q *= 0x1p-100f;
    const std::vector<float> scaled_y = round_trip(type, scaled);
    // Not equal to the last bit, because small fp16 scales have fewer of them.
    double error = 0;
    double norm = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      error += row.q[i] * (double{row.x[i]} - y[i]) * (double{row.x[i]} - y[i]);
      const double off = double{row.x[i]} - double{scaled_y[i]} / 1024;
      norm += row.q[i] * off * off;
    }
    EXPECT_NEAR(error / norm, 1, 0.02) << name(type);
  }
}

TEST(IqEncoders, FastHasNoMoreErrorThanThePeersAndBestHasLess) {
  const auto read_floats = [](const std::string& file_name) {
    std::ifstream file(SLUICE_TEST_DATA "/baselines/" + file_name, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    return values;
  };
  std::ifstream file(SLUICE_TEST_DATA "/baselines/errors.json");
  const nlohmann::json peers = nlohmann::json::parse(file)["types"];
  for (const std::string set : {"synthetic", "trained"}) {
    const std::vector<float> x = read_floats(set + ".rows.f32");
    const std::vector<float> q = read_floats(set + ".importance.f32");
    for (const TensorType type : kEncoded) {
      const auto error = [&](Effort effort) {
        std::vector<std::byte> blocks(byte_size(type, x.size()));
        find_codec(type)->encode({x.data(), x.size() / q.size(), q.size(), q.data(), effort},
                                 blocks.data());
        return testing_support::refit_error(x, decode(type, blocks, x.size()), q);
      };
      double peer = std::numeric_limits<double>::infinity();
      for (const auto& each : peers[std::string(name(type))][set]) {
        peer = std::min(peer, each["refit"].get<double>());
      }
      const double fast = error(Effort::fast);
      EXPECT_LE(fast, peer) << name(type) << " " << set;
      EXPECT_LT(error(Effort::best), fast) << name(type) << " " << set;
    }
  }
}

TEST(IqEncoders, SurviveTheExtremes) {
  for (const TensorType type : kEncoded) {
    for (const float magnitude : {1e-45f, 1e-38f, 1e-9f, 1e-4f, 1e7f, 3e38f}) {
      for (const float importance : {0.0f, 1e-45f, 1e-38f, 1.0f, 3e38f}) {
        Row row = make_row(256, 7);
        const float largest = *std::max_element(row.x.begin(), row.x.end());
        for (float& x : row.x) x = std::clamp(x / largest, -1.0f, 1.0f) * magnitude;
        for (float& q : row.q) q = std::min(q, 1.0f) * importance;
        const std::vector<float> y = round_trip(type, row);
        double error = 0;
        double zeros = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
          ASSERT_TRUE(std::isfinite(y[i])) << name(type) << " " << magnitude << " " << importance;
          error += row.q[i] * (double{row.x[i]} - y[i]) * (double{row.x[i]} - y[i]);
          zeros += row.q[i] * double{row.x[i]} * row.x[i];
        }
        EXPECT_LE(error, zeros) << name(type) << " " << magnitude << " " << importance;
        // Scales at the ends of fp16 still code something.
        if (magnitude >= 1e-4f && magnitude <= 1e7f && importance > 0) {
          EXPECT_LT(error, 0.5 * zeros) << name(type) << " " << magnitude << " " << importance;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice
