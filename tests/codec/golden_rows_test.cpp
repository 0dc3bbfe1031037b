// Decoders of types whose rows have a scale, or are stored together, against rows that ik_llama.cpp's
// scalar decoder read: every value to the last bit. The rows' scales are numbers, all their other
// bits random.

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "sluice/codec.h"

namespace sluice {
namespace {

constexpr std::size_t kRow = 512;

std::vector<char> read(const std::string& name) {
  std::ifstream file(SLUICE_TEST_DATA "/golden_rows/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> golden_types() {
  std::set<std::string> types;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_TEST_DATA "/golden_rows")) {
    types.insert(entry.path().stem().string());
  }
  return {types.begin(), types.end()};
}

class GoldenRows : public testing::TestWithParam<std::string> {};

TEST_P(GoldenRows, DecodeToTheLastBit) {
  const std::vector<char> bytes = read(GetParam() + ".bin");
  const std::vector<char> expected = read(GetParam() + ".f32");
  const TensorTypeInfo* type = find_tensor_type(GetParam());
  ASSERT_NE(type, nullptr);
  const std::size_t elements = expected.size() / sizeof(float);
  ASSERT_GT(elements, kRow);
  ASSERT_EQ(bytes.size(), byte_size(type->type, elements, kRow));
  for (const Isa isa : supported_isas()) {
    const Codec* codec = find_codec(type->type, isa);
    ASSERT_NE(codec, nullptr);
    const auto* rows = reinterpret_cast<const std::byte*>(bytes.data());
    EXPECT_TRUE(rows_finite(*codec, rows, elements, kRow));
    std::vector<float> decoded(elements);
    decode_rows(*codec, rows, elements, kRow, decoded.data());
    for (std::size_t i = 0; i < elements; ++i) {
      ASSERT_EQ(std::memcmp(&decoded[i], &expected[i * sizeof(float)], sizeof(float)), 0)
          << name(isa) << ", row " << i / kRow << ", weight " << i % kRow << ": " << decoded[i];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, GoldenRows, testing::ValuesIn(golden_types()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace sluice
