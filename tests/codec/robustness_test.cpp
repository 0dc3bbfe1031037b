// Every encoder against values and importances that weights do not have, and some that they have.

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "codec/zeros.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

constexpr std::size_t kRowElements = 512;  // two super-blocks

/// A number of [-1, 1) that depends on `seed` and `i` only.
float noise(std::uint64_t seed, std::size_t i) {
  std::uint64_t state = seed * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u;
  state = (state ^ state >> 29) * 0x94d049bb133111ebu;
  state ^= state >> 32;
  return static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31f;
}

/// Heavy-tailed, as weights are.
float weight_like(std::uint64_t seed, std::size_t i) {
  const float u = noise(seed, i);
  return u * u * u + 0.1f * noise(seed + 1, i);
}

/// 10^(range * noise): a number anywhere in that many decades.
float any_magnitude(std::uint64_t seed, std::size_t i, float range) {
  return static_cast<float>(std::pow(10.0, double{range} * noise(seed, i)));
}

using Pattern = std::pair<std::string, std::function<float(std::size_t)>>;

std::vector<Pattern> value_patterns() {
  std::vector<Pattern> patterns = {
      {"zeros", [](std::size_t) { return 0.0f; }},
      {"minus zeros", [](std::size_t) { return -0.0f; }},
      {"one outlier among zeros", [](std::size_t i) { return i % 300 == 37 ? 1.0f : 0.0f; }},
      {"one negative outlier", [](std::size_t i) { return i % 300 == 37 ? -1.0f : 0.0f; }},
      {"outlier in noise", [](std::size_t i) { return i % 200 == 5 ? 1e4f : weight_like(3, i); }},
      {"zero sub-blocks", [](std::size_t i) { return i / 32 % 3 == 1 ? 0.0f : weight_like(4, i); }},
      {"zero super-block", [](std::size_t i) { return i / 256 % 2 ? 0.0f : weight_like(5, i); }},
      {"sub-blocks of all sizes",
       [](std::size_t i) { return weight_like(6, i) * any_magnitude(7, i / 16, 6); }},
      {"values of all sizes", [](std::size_t i) { return noise(8, i) * any_magnitude(9, i, 35); }},
      {"denormal mixed with normal",
       [](std::size_t i) { return i % 3 ? 1e-41f * static_cast<float>(i) : weight_like(10, i); }},
      {"two values", [](std::size_t i) { return noise(11, i) > 0 ? 0.3f : 0.7f; }},
      {"saw", [](std::size_t i) { return static_cast<float>(i % 32) - 15.5f; }},
  };
  for (const float size : {1e-45f, 1e-40f, 1e-38f, 1e-20f, 6e-8f, 3e-6f, 1e-3f, 1.0f, 65504.0f,
                           1e6f, 1e20f, 1e38f, FLT_MAX}) {
    const std::string suffix = " of " + std::to_string(std::log10(size));
    patterns.push_back({"weights" + suffix, [=](std::size_t i) {
                          return size * std::clamp(weight_like(12, i), -1.0f, 1.0f);
                        }});
    patterns.push_back({"constant" + suffix, [=](std::size_t) { return size; }});
    patterns.push_back({"negative constant" + suffix, [=](std::size_t) { return -size; }});
    patterns.push_back(
        {"alternating" + suffix, [=](std::size_t i) { return i % 2 ? size : -size; }});
  }
  return patterns;
}

std::vector<Pattern> importance_patterns() {
  return {
      {"none", nullptr},
      {"ones", [](std::size_t) { return 1.0f; }},
      {"zeros", [](std::size_t) { return 0.0f; }},
      {"smallest denormals", [](std::size_t) { return FLT_TRUE_MIN; }},
      {"tiny", [](std::size_t) { return 1e-38f; }},
      {"huge", [](std::size_t) { return 1e30f; }},
      {"largest", [](std::size_t) { return FLT_MAX; }},
      {"some zeros",
       [](std::size_t i) { return noise(20, i) < 0.3f ? 0.0f : any_magnitude(21, i, 1.5f); }},
      {"zero sub-blocks", [](std::size_t i) { return i / 32 % 2 ? 0.0f : 1.0f; }},
      {"only one", [](std::size_t i) { return i == 5 ? 1.0f : 0.0f; }},
      {"of all sizes", [](std::size_t i) { return any_magnitude(22, i, 37); }},
  };
}

std::vector<float> fill(const Pattern& pattern, std::size_t n) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = pattern.second(i);
  return values;
}

class Robustness : public testing::TestWithParam<TensorType> {
 protected:
  std::vector<std::byte> encode(const std::vector<float>& values, std::size_t row_elements,
                                const float* importance, int background) const {
    constexpr std::size_t kCanary = 64;  // bytes after the end, which must stay as they are
    const std::size_t size = byte_size(GetParam(), values.size(), row_elements);
    std::vector<std::byte> blocks(size + kCanary, static_cast<std::byte>(background));
    codec().encode({values.data(), values.size() / row_elements, row_elements, importance},
                   blocks.data());
    for (std::size_t i = size; i < blocks.size(); ++i) {
      EXPECT_EQ(blocks[i], static_cast<std::byte>(background)) << "written past the end";
    }
    blocks.resize(size);
    return blocks;
  }

  std::vector<float> decode(const std::vector<std::byte>& blocks, std::size_t elements) const {
    std::vector<float> values(elements);
    decode_rows(codec(), blocks.data(), elements, kRowElements, values.data());
    return values;
  }

  static const Codec& codec() { return *find_codec(GetParam()); }
  /// Rows that are stored together.
  static std::size_t group() { return info(GetParam()).rows; }
  static std::size_t rows() { return group() == 1 ? 3 : 2 * group(); }
};

TEST_P(Robustness, DecodesFiniteAndNoWorseThanZeros) {
  for (const Pattern& importances : importance_patterns()) {
    const bool known = importances.second != nullptr;
    const std::vector<float> importance =
        known ? fill(importances, kRowElements) : std::vector<float>();
    for (const Pattern& pattern : value_patterns()) {
      SCOPED_TRACE(pattern.first + ", importance " + importances.first);
      const std::vector<float> values = fill(pattern, rows() * kRowElements);
      const std::vector<std::byte> blocks =
          encode(values, kRowElements, known ? importance.data() : nullptr, 0);
      const std::vector<float> decoded = decode(blocks, values.size());
      const std::size_t width = testing_support::bearable_together(GetParam(), kRowElements);
      for (std::size_t start = 0; start < values.size(); start += width) {
        double error = 0;
        double of_zeros = 0;
        bool all_zero = true;
        for (std::size_t i = start; i < start + width; ++i) {
          ASSERT_TRUE(std::isfinite(decoded[i])) << "element " << i << " of " << values[i];
          const double q = known ? importance[i % kRowElements] : 1.0;
          const double difference = double{values[i]} - double{decoded[i]};
          error += q * difference * difference;
          of_zeros += q * double{values[i]} * double{values[i]};
          all_zero = all_zero && values[i] == 0.0f;
        }
        // Some encoders compare errors in single precision, over up to 256 terms.
        ASSERT_LE(error, of_zeros * (1 + 1e-5)) << "super-block or row at " << start;
        if (!all_zero) continue;
        for (std::size_t i = start; i < start + width; ++i) ASSERT_EQ(decoded[i], 0.0f);
      }
    }
  }
}

// Formats with a zero among a sub-block's scales or codes.
class FormatsWithZero : public Robustness {};

TEST_P(FormatsWithZero, ZeroSubBlocksDecodeToZeros) {
  const auto zero = [](std::size_t i) { return i / 32 % 3 == 1; };
  for (const float size : {1e-5f, 1.0f, 1e4f}) {
    std::vector<float> values(rows() * kRowElements);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = zero(i) ? 0.0f : size * weight_like(30, i);
    }
    const std::vector<float> decoded =
        decode(encode(values, kRowElements, nullptr, 0), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!zero(i)) continue;
      ASSERT_EQ(decoded[i], 0.0f) << "element " << i << " at size " << size;
    }
  }
}

TEST_P(Robustness, BytesDependOnValuesAndImportanceOnly) {
  for (const Pattern& importances : importance_patterns()) {
    const bool known = importances.second != nullptr;
    const std::vector<float> importance =
        known ? fill(importances, kRowElements) : std::vector<float>();
    const float* row_importance = known ? importance.data() : nullptr;
    for (const Pattern& pattern : value_patterns()) {
      SCOPED_TRACE(pattern.first + ", importance " + importances.first);
      const std::vector<float> values = fill(pattern, rows() * kRowElements);
      const auto together = encode(values, kRowElements, row_importance, 0x00);
      ASSERT_EQ(together, encode(values, kRowElements, row_importance, 0xff));
      std::vector<std::byte> one_by_one;
      for (std::size_t row = 0; row < rows(); row += group()) {
        const std::vector<float> alone(values.begin() + row * kRowElements,
                                       values.begin() + (row + group()) * kRowElements);
        const auto blocks = encode(alone, kRowElements, row_importance, 0xa5);
        one_by_one.insert(one_by_one.end(), blocks.begin(), blocks.end());
      }
      ASSERT_EQ(together, one_by_one);
    }
  }
}

TEST_P(Robustness, BlocksDoNotDependOnTheirNeighbours) {
  if (!is_all_blocks(GetParam())) return;  // a row's blocks share its scale
  // Rows of one block each, every number of rows up to more than any batch, against one long row.
  // (A row's own statistics may enter a long row's blocks in no type that has blocks of its own.)
  const std::size_t block = std::max<std::size_t>(info(GetParam()).block_elements, 32);
  constexpr std::size_t kMost = 19;
  std::vector<float> values(kMost * block);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = weight_like(40, i);
  std::vector<float> importance(block);
  for (std::size_t i = 0; i < block; ++i) importance[i] = any_magnitude(41, i, 1);
  const auto all = encode(values, block, importance.data(), 0);
  const std::size_t row_bytes = byte_size(GetParam(), block);
  for (std::size_t rows = 1; rows <= kMost; ++rows) {
    const std::vector<float> first(values.begin(), values.begin() + rows * block);
    const auto some = encode(first, block, importance.data(), 0xff);
    ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << rows << " rows";
    ASSERT_EQ(some.size(), rows * row_bytes);
  }
  std::vector<float> repeated;
  for (std::size_t row = 0; row < kMost; ++row) {
    repeated.insert(repeated.end(), importance.begin(), importance.end());
  }
  EXPECT_EQ(encode(values, values.size(), repeated.data(), 0), all);
}

TEST_P(Robustness, ImportanceCountsOnlyRelatively) {
  std::vector<float> values(rows() * kRowElements);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = weight_like(50, i);
  std::vector<float> importance(kRowElements);
  for (std::size_t i = 0; i < kRowElements; ++i) importance[i] = any_magnitude(51, i, 1);
  const auto as_given = encode(values, kRowElements, importance.data(), 0);
  for (const float factor : {0x1p60f, 0x1p-60f}) {  // powers of two: products stay exact
    std::vector<float> scaled = importance;
    for (float& q : scaled) q *= factor;
    EXPECT_EQ(encode(values, kRowElements, scaled.data(), 0), as_given) << factor;
  }
}

TEST_P(Robustness, WeightsWithoutImportanceAreCodedAllTheSame) {
  // Importance matrices have blocks of exact zeros: inputs that the calibration text never used.
  std::vector<float> values(group() * kRowElements);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = weight_like(60, i);
  for (const std::size_t run : {32, 256, 512}) {
    std::vector<float> importance(kRowElements);
    for (std::size_t i = 0; i < kRowElements; ++i) importance[i] = i / run % 2 ? 1.0f : 0.0f;
    const std::vector<float> decoded =
        decode(encode(values, kRowElements, importance.data(), 0), values.size());
    double error = 0;
    double of_zeros = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (importance[i % kRowElements] != 0) continue;
      error += std::pow(double{values[i]} - double{decoded[i]}, 2);
      of_zeros += std::pow(double{values[i]}, 2);
    }
    // One magnitude for all weights of Q1_0 leaves a little more of such tails.
    const double most = GetParam() == TensorType::q1_0 ? 0.56 : 0.5;
    EXPECT_LE(error, most * of_zeros) << "zeros in runs of " << run;
  }
}

std::vector<TensorType> encodable_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) {
    if (codec.encode != nullptr) types.push_back(codec.type);
  }
  return types;
}

std::vector<TensorType> types_with_zero() {
  std::vector<TensorType> types = encodable_types();
  std::erase_if(types, [](TensorType type) { return !testing_support::has_zero(type); });
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, Robustness, testing::ValuesIn(encodable_types()),
                         [](const auto& test) { return std::string(name(test.param)); });
INSTANTIATE_TEST_SUITE_P(Types, FormatsWithZero, testing::ValuesIn(types_with_zero()),
                         [](const auto& test) { return std::string(name(test.param)); });

TEST(CodecTable, IsSortedByTypeAndDecodesAllItEncodes) {
  for (std::size_t i = 0; i < codecs().size(); ++i) {
    EXPECT_NE(codecs()[i].decode, nullptr);
    EXPECT_EQ(find_codec(codecs()[i].type), &codecs()[i]);
    if (i == 0) continue;
    EXPECT_LT(codecs()[i - 1].type, codecs()[i].type);
  }
}

}  // namespace
}  // namespace sluice
