// The check of scales against what the decoder makes of them: a scale that is no number spoils at
// least one weight, and where all are numbers, all weights are.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/float16.h"
#include "codec/random_rows.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

using testing_support::Random;

class FiniteScales : public testing::TestWithParam<TensorType> {};

bool all_finite(const Codec& codec, const std::vector<std::byte>& blocks, std::size_t elements) {
  std::vector<float> values(elements);
  codec.decode(blocks.data(), values.data(), elements);
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

// Random bytes; now and then all bits of a few neighbouring bytes are set, for many exponents of
// nothing but ones.
std::vector<std::byte> random_blocks(Random& random, std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.bits());
  if (random.chance(0.3)) {
    const std::size_t start = random.below(count);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(start),
                std::min<std::size_t>(4, count - start), std::byte{0xff});
  }
  return bytes;
}

/// Whether the scales before rows' blocks are numbers whose products with all levels are.
bool row_scales_bearable(const TensorTypeInfo& type, const std::vector<std::byte>& rows) {
  for (std::uint32_t i = 0; i < type.rows; ++i) {
    const std::byte* const head = &rows[i * type.row_bytes];
    float scale = 0;
    if (type.row_bytes >= sizeof scale) {
      std::memcpy(&scale, head, sizeof scale);
    } else {
      std::uint16_t half = 0;
      std::memcpy(&half, head, sizeof half);
      scale = f16_to_f32(half);
    }
    if (!std::isfinite(scale * 0x1p14f)) return false;
  }
  return true;
}

TEST_P(FiniteScales, AgreeWithTheDecodedWeights) {
  const TensorTypeInfo& type = info(GetParam());
  Random random("finite scales " + std::string(type.name));
  std::size_t broken = 0;
  constexpr int kTrials = 20000;
  for (int i = 0; i < kTrials; ++i) {
    const std::vector<std::byte> block =
        random_blocks(random, row_size(type.type, type.block_elements) * type.rows);
    bool finite = all_finite(*find_codec(type.type), block, type.rows * type.block_elements);
    // Readers take these for numbers; the types' definitions say NaN.
    if (type.type == TensorType::mxfp4 || type.type == TensorType::mxfp4_r8) {
      finite = std::find(block.begin(), block.begin() + type.rows, std::byte{0xff}) ==
               block.begin() + type.rows;
    }
    if (type.type == TensorType::nvfp4) {
      finite = std::none_of(block.begin(), block.begin() + 4, [](std::byte scale) {
        return (scale & std::byte{0x7f}) == std::byte{0x7f};
      });
    }
    // Values beyond binary32 are numbers, but no weights.
    if (type.type == TensorType::f64)
      finite = (std::to_integer<int>(block[7]) & 0x7f) != 0x7f ||
               (std::to_integer<int>(block[6]) & 0xf0) != 0xf0;
    if (type.row_bytes > 0) {
      ASSERT_TRUE(finite || !row_scales_bearable(type, block)) << "trial " << i;
      finite = row_scales_bearable(type, block);
    }
    for (const Isa isa : supported_isas()) {
      ASSERT_EQ(find_codec(type.type, isa)->scales_finite(block.data(), type.rows), finite)
          << name(isa) << ", trial " << i;
    }
    broken += finite ? 0 : 1;
  }
  EXPECT_GT(broken, 20u) << "too few to tell";
  EXPECT_LT(broken, kTrials - 20u);
}

TEST_P(FiniteScales, FindOneBlockAmongMany) {
  const TensorTypeInfo& type = info(GetParam());
  if (!is_all_blocks(type.type)) return;  // the scales of rows are those that are no integers
  const Codec& codec = *find_codec(type.type);
  Random random("one block " + std::string(type.name));
  constexpr std::size_t kBlocks = 77;
  std::vector<std::byte> blocks(kBlocks * type.block_bytes);
  EXPECT_TRUE(codec.scales_finite(blocks.data(), kBlocks));
  EXPECT_TRUE(codec.scales_finite(blocks.data(), 0));
  for (std::size_t i = 0; i < kBlocks; ++i) {
    std::vector<std::byte> damaged = blocks;
    std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(i * type.block_bytes),
                type.block_bytes, std::byte{0xff});
    EXPECT_FALSE(codec.scales_finite(damaged.data(), kBlocks)) << "block " << i;
  }
}

std::vector<TensorType> all_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) types.push_back(codec.type);
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, FiniteScales, testing::ValuesIn(all_types()),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace sluice
