// Decoders against blocks that the format's authors' programs decoded: every value to the last bit.

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/codec.h"

namespace sluice {
namespace {

std::vector<std::byte> from_hex(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<std::string> golden_types() {
  std::vector<std::string> types;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_TEST_DATA "/golden")) {
    types.push_back(entry.path().stem().string());
  }
  return types;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, DecodesToTheLastBit) {
  std::ifstream file(SLUICE_TEST_DATA "/golden/" + GetParam() + ".json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  const TensorTypeInfo* type = find_tensor_type(GetParam());
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(static_cast<std::uint32_t>(type->type), golden["type_id"].get<std::uint32_t>());
  EXPECT_EQ(type->block_elements, golden["block_elements"].get<std::uint32_t>());
  EXPECT_EQ(type->block_bytes, golden["block_bytes"].get<std::uint32_t>());
  const Codec* codec = find_codec(type->type);
  ASSERT_NE(codec, nullptr) << "no codec for " << GetParam();
  ASSERT_NE(codec->decode, nullptr);

  ASSERT_FALSE(golden["blocks"].empty());
  // One by one, and all in one call: a decoder must not depend on where a row starts.
  std::vector<std::byte> all_bytes;
  std::vector<float> all_expected;
  for (const auto& block : golden["blocks"]) {
    const std::vector<std::byte> bytes = from_hex(block["hex"]);
    ASSERT_EQ(bytes.size(), type->block_bytes);
    const auto expected = block["values"].get<std::vector<float>>();
    ASSERT_EQ(expected.size(), type->block_elements);
    std::vector<float> decoded(type->block_elements);
    codec->decode(bytes.data(), decoded.data(), decoded.size());
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(decoded[i]), std::bit_cast<std::uint32_t>(expected[i]))
          << "element " << i << ": " << decoded[i] << " for " << expected[i];
    }
    all_bytes.insert(all_bytes.end(), bytes.begin(), bytes.end());
    all_expected.insert(all_expected.end(), expected.begin(), expected.end());
  }
  std::vector<float> decoded(all_expected.size());
  codec->decode(all_bytes.data(), decoded.data(), decoded.size());
  EXPECT_EQ(decoded, all_expected);
}

INSTANTIATE_TEST_SUITE_P(Types, Golden, testing::ValuesIn(golden_types()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace sluice
