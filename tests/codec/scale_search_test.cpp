// Searches against brute force: a dense scan of what a format can express.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "base/float16.h"
#include "simd/lanes.h"
#include "sluice/codec.h"

namespace sluice {

// The codecs of wide_registers.cpp.
namespace wide {
Codec codec_q4_0() noexcept;
Codec codec_q4_1() noexcept;
Codec codec_q5_0() noexcept;
Codec codec_q5_1() noexcept;
Codec codec_q6_0() noexcept;
Codec codec_q8_0() noexcept;
Codec codec_q2_k() noexcept;
Codec codec_q3_k() noexcept;
Codec codec_q4_k() noexcept;
Codec codec_q5_k() noexcept;
Codec codec_q6_k() noexcept;
}  // namespace wide

namespace {

/// Values as of trained weights: mostly Gaussian, a few large; importances spread over a decade.
struct Sample {
  std::vector<float> values;
  std::vector<float> importance;

  /// What the encoders minimise: importance * sqrt(mean x^2 + x^2), the mean over a block. Q3_K
  /// counts the mean twice.
  std::vector<float> weights(std::size_t block, double mean_share = 1) const {
    std::vector<float> result;
    for (std::size_t i = 0; i < values.size(); ++i) {
      double squares = 0;
      for (std::size_t j = i / block * block; j < (i / block + 1) * block; ++j) {
        squares += double{values[j]} * values[j];
      }
      const double mean = mean_share * squares / static_cast<double>(block);
      result.push_back(
          static_cast<float>(importance[i] * std::sqrt(mean + double{values[i]} * values[i])));
    }
    return result;
  }
};

Sample sample(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Sample s;
  for (std::size_t i = 0; i < n; ++i) {
    s.values.push_back(0.02f * normal(random) * (random() % 50 == 0 ? 4.0f : 1.0f));
    s.importance.push_back(std::exp(normal(random)));
  }
  return s;
}

/// The least weighted error of scale * code + offset, codes of [low, high].
double nearest_code_error(const float* x, const float* w, int n, double scale, double offset,
                          int low, int high) {
  double error = 0;
  for (int i = 0; i < n; ++i) {
    const double wanted = scale == 0 ? 0 : std::nearbyint((x[i] - offset) / scale);
    const double code = std::min<double>(std::max<double>(wanted, low), high);
    const double difference = x[i] - (code * scale + offset);
    error += w[i] * difference * difference;
  }
  return error;
}

double weighted_error(const std::vector<float>& x, const std::vector<float>& y,
                      const std::vector<float>& w) {
  double error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    error += w[i] * std::pow(double{x[i]} - double{y[i]}, 2);
  }
  return error;
}

std::vector<float> encode_and_decode(TensorType type, const Sample& s) {
  const Codec* codec = find_codec(type);
  std::vector<std::byte> blocks(byte_size(type, s.values.size()));
  // The search is judged: its scales before they are corrected.
  codec->encode({.values = s.values.data(),
                 .rows = 1,
                 .row_elements = s.values.size(),
                 .importance = s.importance.data(),
                 .bias_correction = 0},
                blocks.data());
  std::vector<float> decoded(s.values.size());
  codec->decode(blocks.data(), decoded.data(), decoded.size());
  return decoded;
}

float largest_of(const float* x, int n) {
  float largest = 0;
  for (int i = 0; i < n; ++i) largest = std::max(largest, std::fabs(x[i]));
  return largest;
}

/// The best error over all scales of both signs in `steps` small steps. `low` is the lowest code.
double best_symmetric_error(const float* x, const float* w, int n, int low, int steps) {
  const double widest = 1.5 * double{largest_of(x, n)} / -low;
  double best = nearest_code_error(x, w, n, 0, 0, low, -1 - low);
  for (int step = 1; step <= steps; ++step) {
    const double scale = widest * step / steps;
    best = std::min(best, nearest_code_error(x, w, n, scale, 0, low, -1 - low));
    best = std::min(best, nearest_code_error(x, w, n, -scale, 0, low, -1 - low));
  }
  return best;
}

/// The best error over a grid of ranges that the codes may span.
double best_affine_error(const float* x, const float* w, int n, int high, bool not_positive) {
  double least = x[0];
  double most = x[0];
  for (int i = 0; i < n; ++i) {
    least = std::min<double>(least, x[i]);
    most = std::max<double>(most, x[i]);
  }
  const double range = most - least;
  double best = 1e300;
  constexpr int kSteps = 60;
  for (int from = 0; from <= kSteps; ++from) {
    double offset = least + range * (0.5 * from / kSteps - 0.1);
    if (not_positive) offset = std::min(offset, 0.0);
    for (int to = 0; to <= kSteps; ++to) {
      const double end = most - range * (0.5 * to / kSteps - 0.1);
      if (end <= offset) continue;
      best = std::min(best, nearest_code_error(x, w, n, (end - offset) / high, offset, 0, high));
    }
  }
  return best;
}

struct Symmetric32 {
  TensorType type;
  int low;
};

class SymmetricBlocks : public testing::TestWithParam<Symmetric32> {};

TEST_P(SymmetricBlocks, AreWithinAWindowOfTheBestScale) {
  const Sample s = sample(32 * 40, 1);
  const std::vector<float> decoded = encode_and_decode(GetParam().type, s);
  const std::vector<float> w = s.weights(32);
  double best = 0;
  for (std::size_t b = 0; b < s.values.size(); b += 32) {
    best += best_symmetric_error(&s.values[b], &w[b], 32, GetParam().low, 4000);
  }
  const double found = weighted_error(s.values, decoded, w);
  EXPECT_LE(found, 1.02 * best);
  EXPECT_GE(found, 0.99 * best) << "the scan is too coarse to judge";
}

INSTANTIATE_TEST_SUITE_P(Types, SymmetricBlocks,
                         testing::Values(Symmetric32{TensorType::q4_0, -8},
                                         Symmetric32{TensorType::q5_0, -16},
                                         Symmetric32{TensorType::q6_0, -32}),
                         [](const auto& test) { return std::string(name(test.param.type)); });

TEST(SymmetricBlocks, FindsTheBestStoredScaleOfEveryHalf) {
  // All 63488 finite binary16 scales, block by block.
  constexpr int kBlocks = 4;
  const Sample s = sample(32 * kBlocks, 2);
  const std::vector<float> decoded = encode_and_decode(TensorType::q4_0, s);
  const std::vector<float> weights = s.weights(32);
  for (int b = 0; b < kBlocks; ++b) {
    const float* x = &s.values[32 * b];
    const float* w = &weights[32 * b];
    double best = 1e300;
    for (unsigned half = 0; half < 0x10000; ++half) {
      if ((half & 0x7c00) == 0x7c00) continue;
      const double scale = f16_to_f32(static_cast<std::uint16_t>(half));
      best = std::min(best, nearest_code_error(x, w, 32, scale, 0, -8, 7));
    }
    double found = 0;
    for (int i = 0; i < 32; ++i) {
      found += w[i] * std::pow(double{x[i]} - double{decoded[32 * b + i]}, 2);
    }
    EXPECT_GE(found, best * (1 - 1e-6));
    EXPECT_LE(found, best * 1.10) << "block " << b;
  }
}

struct Affine {
  TensorType type;
  int high;
  int sub_block;
  bool not_positive;
  double window;  ///< K-quants pay for rounding their sub-blocks' scales
};

class AffineBlocks : public testing::TestWithParam<Affine> {};

TEST_P(AffineBlocks, AreWithinAWindowOfTheBestScaleAndOffset) {
  const Affine& type = GetParam();
  const Sample s = sample(256 * 4, 3);
  const std::vector<float> decoded = encode_and_decode(type.type, s);
  const std::vector<float> w = s.weights(info(type.type).block_elements);
  double best = 0;
  for (std::size_t b = 0; b < s.values.size(); b += static_cast<std::size_t>(type.sub_block)) {
    best += best_affine_error(&s.values[b], &w[b], type.sub_block, type.high, type.not_positive);
  }
  const double found = weighted_error(s.values, decoded, w);
  EXPECT_LE(found, type.window * best);
  EXPECT_GE(found, 0.9 * best) << "the scan is too coarse to judge";
  RecordProperty("ratio", std::to_string(found / best));
  std::printf("%s: %.4f of the scan's best\n", std::string(name(type.type)).c_str(), found / best);
}

INSTANTIATE_TEST_SUITE_P(Types, AffineBlocks,
                         testing::Values(Affine{TensorType::q4_1, 15, 32, false, 1.03},
                                         Affine{TensorType::q5_1, 31, 32, false, 1.06},
                                         Affine{TensorType::q2_k, 3, 16, true, 1.13},
                                         Affine{TensorType::q4_k, 15, 32, true, 1.06},
                                         Affine{TensorType::q5_k, 31, 32, true, 1.12}),
                         [](const auto& test) { return std::string(name(test.param.type)); });

/// The error over that of the best scale of each sub-block of 16, as if scales were not rounded.
double over_best_sub_blocks(TensorType type, int low, double mean_share) {
  const Sample s = sample(256 * 4, 4);
  const std::vector<float> decoded = encode_and_decode(type, s);
  const std::vector<float> w = s.weights(256, mean_share);
  double best = 0;
  for (std::size_t b = 0; b < s.values.size(); b += 16) {
    best += best_symmetric_error(&s.values[b], &w[b], 16, low, 4000);
  }
  const double ratio = weighted_error(s.values, decoded, w) / best;
  std::printf("%s: %.4f of the scan's best\n", std::string(name(type)).c_str(), ratio);
  return ratio;
}

TEST(Q6_K, IsWithinAWindowOfTheBestSubBlockScales) {
  const double ratio = over_best_sub_blocks(TensorType::q6_k, -32, 1);
  EXPECT_LE(ratio, 1.15);
  EXPECT_GE(ratio, 0.99);
}

TEST(Q3_K, IsWithinAWindowOfTheBestSubBlockScales) {
  const double ratio = over_best_sub_blocks(TensorType::q3_k, -4, 2);
  EXPECT_LE(ratio, 1.03);
  EXPECT_GE(ratio, 0.99);
}

// Registers of another width than the machine's give the same bits: two, four or 16 lanes at once
// are the machine's affair.
class OtherRegisters : public testing::TestWithParam<Codec (*)()> {};

TEST_P(OtherRegisters, GiveTheSameBlocks) {
  const Codec codec = GetParam()();
  const Codec& portable = *find_codec(codec.type, Isa::portable);
  for (unsigned seed = 10; seed < 20; ++seed) {
    const Sample s = sample(256 * 5, seed);
    for (const Effort effort : {Effort::fast, Effort::best}) {
      const EncodeRows rows{.values = s.values.data(),
                            .rows = 1,
                            .row_elements = s.values.size(),
                            .importance = seed % 2 != 0 ? s.importance.data() : nullptr,
                            .effort = effort};
      std::vector<std::byte> blocks(byte_size(codec.type, s.values.size()));
      std::vector<std::byte> expected(blocks.size());
      codec.encode(rows, blocks.data());
      portable.encode(rows, expected.data());
      EXPECT_EQ(blocks, expected) << "seed " << seed;
      std::vector<float> decoded(s.values.size());
      std::vector<float> expected_values(s.values.size());
      codec.decode(blocks.data(), decoded.data(), decoded.size());
      portable.decode(blocks.data(), expected_values.data(), expected_values.size());
      EXPECT_EQ(decoded, expected_values) << "seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, OtherRegisters,
                         testing::Values(wide::codec_q4_0, wide::codec_q4_1, wide::codec_q5_0,
                                         wide::codec_q5_1, wide::codec_q6_0, wide::codec_q8_0,
                                         wide::codec_q2_k, wide::codec_q3_k, wide::codec_q4_k,
                                         wide::codec_q5_k, wide::codec_q6_k),
                         [](const auto& test) { return std::string(name(test.param().type)); });

// Fixed-point arithmetic against its definition.
TEST(Shorts, MultiplyByDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::int16_t a[32];
    std::int16_t b[32];
    for (int i = 0; i < 32; ++i) {
      a[i] = static_cast<std::int16_t>(random());
      b[i] = static_cast<std::int16_t>(random());
      if (a[i] == INT16_MIN) a[i] = 0;  // the one product that does not fit is -1 * -1
    }
    const simd::Shorts lanes_a = simd::Shorts::load(a);
    const simd::Shorts lanes_b = simd::Shorts::load(b);
    const simd::Shorts product = multiply_fractions(lanes_a, lanes_b);
    const simd::Ints sums = accumulate_products(simd::Ints(round), lanes_a, lanes_b);
    for (std::size_t i = 0; i < 32; ++i) {
      EXPECT_EQ(product[i], std::floor(a[i] * b[i] / 32768.0 + 0.5));
    }
    for (std::size_t i = 0; i < 16; ++i) {
      EXPECT_EQ(sums[i], round + a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]);
    }
  }
}

}  // namespace
}  // namespace sluice
