// Differences between models against sums formed one weight after the other.

#include "sluice/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/float16.h"
#include "codec/random_rows.h"
#include "sluice/error.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::Bytes;
using testing_support::bytes_of;
using testing_support::GgufBuilder;
using testing_support::put;
using testing_support::Random;
using testing_support::TempFolder;
using testing_support::write_file;

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kF16 = 1;
constexpr std::uint32_t kQ8_0 = 8;
constexpr std::uint32_t kI32 = 26;
constexpr std::uint32_t kNvfp4 = 40;

std::vector<float> random_weights(std::size_t count, const std::string& seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(0.02 * random.heavy());
  return values;
}

Bytes halves_of(const std::vector<float>& values) {
  Bytes bytes;
  for (const float value : values) put(bytes, f32_to_f16(value));
  return bytes;
}

/// Q8_0 blocks of arbitrary codes, and the weights that the format defines them to have.
struct Blocks {
  Bytes bytes;
  std::vector<float> values;
};

Blocks q8_0_blocks(std::size_t count, const std::string& seed) {
  Random random(seed);
  Blocks blocks;
  for (std::size_t block = 0; block < count / 32; ++block) {
    const std::uint16_t scale = f32_to_f16(static_cast<float>(0.001 * (1 + random.below(9))));
    put(blocks.bytes, scale);
    for (int i = 0; i < 32; ++i) {
      const auto code = static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
      put(blocks.bytes, code);
      blocks.values.push_back(f16_to_f32(scale) * static_cast<float>(code));
    }
  }
  return blocks;
}

class Compare : public testing::Test {
 protected:
  Comparison compare_files(const GgufBuilder& a, const GgufBuilder& b, int threads = 3,
                           std::uint64_t memory = std::uint64_t{64} << 20) {
    write_file(folder_ / "a.gguf", a.build());
    write_file(folder_ / "b.gguf", b.build());
    Observer silent;
    CompareOptions options;
    options.a = folder_ / "a.gguf";
    options.b = folder_ / "b.gguf";
    options.threads = threads;
    options.memory = memory;
    return compare(options, silent);
  }

  TempFolder folder_;
};

void expect_difference(const Difference& found, const std::vector<float>& x,
                       const std::vector<float>& y) {
  long double error = 0;
  long double norm_x = 0;
  long double norm_y = 0;
  long double product = 0;
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double a = x[i];
    const long double b = y[i];
    error += (a - b) * (a - b);
    norm_x += a * a;
    norm_y += b * b;
    product += a * b;
    most = std::max(most, std::abs(double{x[i]} - double{y[i]}));
  }
  const auto near = [](double value, long double expected) {
    EXPECT_NEAR(value, static_cast<double>(expected),
                1e-10 * std::abs(static_cast<double>(expected)));
  };
  near(found.error, error / norm_x);
  near(found.cosine, product / std::sqrt(norm_x * norm_y));
  EXPECT_EQ(found.max_absolute, most);
  EXPECT_EQ(found.not_finite, 0u);
}

// Three experts of rows that fill no tile, so that chunks and tiles end everywhere.
TEST_F(Compare, ErrorsAreThoseOfTheSumsWhateverTheThreadsAndTheBudget) {
  const std::vector<float> x = random_weights(96 * 1111 * 3, "x");
  const Blocks y = q8_0_blocks(x.size(), "y");
  std::vector<float> nearby = x;
  for (std::size_t i = 0; i < nearby.size(); i += 3) nearby[i] *= 1.001f;
  std::vector<float> halves;
  for (const float value : nearby) halves.push_back(f16_to_f32(f32_to_f16(value)));
  GgufBuilder a;
  a.tensor("far", {96, 1111, 3}, kF32, bytes_of(x)).tensor("near", {96, 3333}, kF32, bytes_of(x));
  GgufBuilder b;
  b.tensor("near", {96, 3333}, kF16, halves_of(nearby))
      .tensor("far", {96, 1111, 3}, kQ8_0, y.bytes);
  for (const int threads : {1, 4}) {
    for (const std::uint64_t memory : {std::uint64_t{32} << 20, std::uint64_t{512} << 20}) {
      const Comparison found = compare_files(a, b, threads, memory);
      ASSERT_EQ(found.tensors.size(), 2u);
      EXPECT_TRUE(found.complete());
      EXPECT_FALSE(found.identical());
      EXPECT_EQ(found.tensors[0].name, "far") << "a's order";
      EXPECT_EQ(found.tensors[0].b->type, TensorType::q8_0);
      expect_difference(*found.tensors[0].difference, x, y.values);
      expect_difference(*found.tensors[1].difference, x, halves);
      EXPECT_FALSE(found.tensors[0].differing_bytes.has_value()) << "types differ";
      EXPECT_EQ(found.read_bytes, 2 * x.size() * 4 + y.bytes.size() + x.size() * 2);
    }
  }
}

TEST_F(Compare, OfEqualTypesEveryDifferingByteIsCounted) {
  const Blocks x = q8_0_blocks(256 * 64, "blocks");
  Bytes changed = x.bytes;
  for (const std::size_t at : {std::size_t{2}, changed.size() / 2, changed.size() - 1}) {
    changed[at] ^= std::byte{1};
  }
  const std::vector<std::int32_t> numbers{1, 2, 3, 4};
  const std::vector<std::int32_t> others{1, 2, 7, 4};
  GgufBuilder a;
  a.tensor("t", {256, 64}, kQ8_0, x.bytes)
      .tensor("same", {256, 64}, kQ8_0, x.bytes)
      .tensor("numbers", {4}, kI32, bytes_of(numbers));
  GgufBuilder b;
  b.tensor("t", {256, 64}, kQ8_0, changed)
      .tensor("same", {256, 64}, kQ8_0, x.bytes)
      .tensor("numbers", {4}, kI32, bytes_of(others));
  const Comparison found = compare_files(a, b);
  EXPECT_EQ(found.tensors[0].differing_bytes, 3u);
  EXPECT_GT(found.tensors[0].difference->error, 0);
  EXPECT_EQ(found.tensors[1].differing_bytes, 0u);
  EXPECT_EQ(found.tensors[1].difference->error, 0);
  EXPECT_EQ(found.tensors[2].differing_bytes, 1u);
  EXPECT_FALSE(found.tensors[2].difference.has_value()) << "integers are no weights";
  EXPECT_TRUE(found.complete());
  EXPECT_FALSE(found.identical());
  EXPECT_TRUE(compare_files(a, a).identical());
}

TEST_F(Compare, WhatCannotBeComparedIsNamed) {
  const Bytes row = bytes_of(random_weights(256, "row"));
  GgufBuilder a;
  a.tensor("both", {256}, kF32, row)
      .tensor("only a", {256}, kF32, row)
      .tensor("shape", {256}, kF32, row);
  a.tensor("type", {4}, kI32, bytes_of(std::vector<std::int32_t>{1, 2, 3, 4}));
  GgufBuilder b;
  b.tensor("only b", {256}, kF32, row)
      .tensor("shape", {128, 2}, kF32, row)
      .tensor("both", {256}, kF32, row)
      .tensor("type", {4}, kF32, Bytes(16));
  const Comparison found = compare_files(a, b);
  ASSERT_EQ(found.tensors.size(), 5u);
  EXPECT_FALSE(found.complete());
  EXPECT_FALSE(found.identical());
  EXPECT_TRUE(found.tensors[0].compared());
  EXPECT_EQ(found.tensors[1].why_not, "only in a");
  EXPECT_FALSE(found.tensors[1].b.has_value());
  EXPECT_EQ(found.tensors[2].why_not, "shapes differ: 256 and 128 x 2");
  EXPECT_NE(found.tensors[3].why_not.find("i32"), std::string::npos) << found.tensors[3].why_not;
  EXPECT_EQ(found.tensors[4].name, "only b");
  EXPECT_EQ(found.tensors[4].why_not, "only in b");
}

// Codes of ones and twos at scales of one, by hand: 0x22 is twice +1, 0x44 twice +2, 0x38 the scale 1.
TEST_F(Compare, Nvfp4IsComparedUnlessAScaleLiesBesideIt) {
  Bytes block(4, std::byte{0x38});
  block.insert(block.end(), 16, std::byte{0x22});
  block.insert(block.end(), 16, std::byte{0x44});
  std::vector<float> y(64, 1.0f);
  for (std::size_t i = 32; i < 64; ++i) y[i] = 2;
  const std::vector<float> x = random_weights(64, "x");
  GgufBuilder a;
  a.tensor("q.weight", {64}, kF32, bytes_of(x)).tensor("k.weight", {64}, kF32, bytes_of(x));
  a.tensor("k.scale", {1}, kF32, bytes_of(std::vector<float>{3}));
  GgufBuilder b;
  b.tensor("q.weight", {64}, kNvfp4, block).tensor("k.weight", {64}, kNvfp4, block);
  b.tensor("k.scale", {1}, kF32, bytes_of(std::vector<float>{3}));
  const Comparison found = compare_files(a, b);
  ASSERT_EQ(found.tensors.size(), 3u);
  ASSERT_TRUE(found.tensors[0].compared()) << found.tensors[0].why_not;
  expect_difference(*found.tensors[0].difference, x, y);
  EXPECT_EQ(found.tensors[1].why_not, "nvfp4 has a scale in a tensor of its own");
  EXPECT_TRUE(found.tensors[2].compared());
}

TEST_F(Compare, WhatIsNotFiniteIsCountedAndLeftOut) {
  std::vector<float> x = random_weights(512, "finite");
  std::vector<float> y = x;
  y[7] *= 2;
  std::vector<float> clean_x = x;
  std::vector<float> clean_y = y;
  x[1] = std::numeric_limits<float>::infinity();
  y[500] = std::numeric_limits<float>::quiet_NaN();
  x[2] = y[2] = std::numeric_limits<float>::infinity();  // of equal bits: no difference
  for (const std::size_t i : {1, 2, 500}) clean_x[i] = clean_y[i] = 0;
  const Comparison found = compare_files(GgufBuilder().tensor("t", {512}, kF32, bytes_of(x)),
                                         GgufBuilder().tensor("t", {512}, kF32, bytes_of(y)));
  Difference difference = *found.tensors[0].difference;
  EXPECT_EQ(difference.not_finite, 2u);
  difference.not_finite = 0;
  expect_difference(difference, clean_x, clean_y);
}

TEST_F(Compare, ZerosHaveAnErrorToo) {
  const std::vector<float> zeros(256);
  const std::vector<float> ones(256, 1.0f);
  GgufBuilder a;
  a.tensor("from", {256}, kF32, bytes_of(zeros))
      .tensor("to", {256}, kF32, bytes_of(ones))
      .tensor("both", {256}, kF32, bytes_of(zeros));
  GgufBuilder b;
  b.tensor("from", {256}, kF32, bytes_of(ones))
      .tensor("to", {256}, kF32, bytes_of(zeros))
      .tensor("both", {256}, kF32, bytes_of(zeros));
  const Comparison found = compare_files(a, b);
  EXPECT_TRUE(std::isinf(found.tensors[0].difference->error));
  EXPECT_EQ(found.tensors[0].difference->cosine, 0);
  EXPECT_EQ(found.tensors[1].difference->error, 1);
  EXPECT_EQ(found.tensors[1].difference->cosine, 0);
  EXPECT_EQ(found.tensors[2].difference->error, 0);
  EXPECT_EQ(found.tensors[2].difference->cosine, 1);
}

TEST_F(Compare, ABudgetThatIsTooSmallIsRefused) {
  const Bytes row = bytes_of(random_weights(256, "row"));
  const GgufBuilder a = GgufBuilder().tensor("t", {256}, kF32, row);
  try {
    compare_files(a, a, 2, 1 << 20);
    FAIL() << "must be refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
  }
}

}  // namespace
}  // namespace sluice
