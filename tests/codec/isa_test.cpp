// The same bytes and the same values from the kernels of every instruction set.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "codec/random_rows.h"
#include "sluice/codec.h"
#include "support/needs.h"

namespace sluice {
namespace {

constexpr std::size_t kRowElements = 1280;  // an odd number of super-blocks

struct Rows {
  const char* name;
  std::vector<float> values;
  std::vector<float> importance;  // empty: none
};

std::vector<Rows> inputs(std::size_t count) {
  std::mt19937_64 random(5);
  std::student_t_distribution<float> heavy(4);
  std::lognormal_distribution<float> log_normal(0, 2);
  std::uniform_int_distribution<std::uint32_t> bits;
  const auto make = [&](const char* name, auto&& value, bool with_importance) {
    Rows rows{name, std::vector<float>(count * kRowElements), {}};
    for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] = value(i);
    if (with_importance) {
      for (std::size_t i = 0; i < kRowElements; ++i) rows.importance.push_back(log_normal(random));
    }
    return rows;
  };
  // Any finite float, each exponent as likely as the next.
  const auto any_float = [&](std::size_t) {
    const std::uint32_t pattern = bits(random);
    float value;
    std::memcpy(&value, &pattern, sizeof value);
    return std::isfinite(value) ? value : 0.0f;
  };
  std::vector<Rows> all = {
      make(
          "heavy tails", [&](std::size_t) { return 0.02f * heavy(random); }, true),
      make(
          "heavy tails, no importance", [&](std::size_t) { return heavy(random); }, false),
      make(
          "few levels", [&](std::size_t) { return static_cast<float>(bits(random) % 5) - 2; },
          true),
      make(
          "mostly zeros",
          [&](std::size_t) { return bits(random) % 20 == 0 ? heavy(random) : 0.0f; }, true),
      make(
          "denormals", [&](std::size_t) { return heavy(random) * 1e-40f; }, true),
      make("any bits", any_float, true),
      make("any bits, no importance", any_float, false),
  };
  Rows gaps = make(
      "importance with zeros and extremes", [&](std::size_t) { return heavy(random); }, true);
  for (std::size_t i = 0; i < kRowElements; ++i) {
    if (i % 3 == 0) gaps.importance[i] = 0;
    if (i % 7 == 0) gaps.importance[i] = 1e-38f;
    if (i % 11 == 0) gaps.importance[i] = 1e30f;
  }
  all.push_back(std::move(gaps));
  return all;
}

class Isas : public testing::TestWithParam<std::tuple<TensorType, Effort>> {};

TEST_P(Isas, GiveTheSameBytesAndValues) {
  const auto [type, effort] = GetParam();
  SLUICE_NEEDS(supported_isas().size() > 1, "this machine runs the portable kernels only");
  const Codec& portable = *find_codec(type, Isa::portable);
  const std::size_t count = std::max<std::size_t>(8, info(type).rows);
  for (const Rows& rows : inputs(count)) {
    std::vector<std::byte> expected(byte_size(type, rows.values.size(), kRowElements));
    const EncodeRows input{.values = rows.values.data(),
                           .rows = count,
                           .row_elements = kRowElements,
                           .importance = rows.importance.empty() ? nullptr : rows.importance.data(),
                           .effort = effort};
    if (portable.encode != nullptr) {
      portable.encode(input, expected.data());
    } else {  // a type that is only read: any bytes
      std::mt19937_64 random(6);
      for (std::byte& byte : expected) byte = static_cast<std::byte>(random());
    }
    std::vector<float> values(rows.values.size());
    decode_rows(portable, expected.data(), values.size(), kRowElements, values.data());
    for (const Isa isa : supported_isas()) {
      const Codec& codec = *find_codec(type, isa);
      std::vector<float> decoded(rows.values.size());
      decode_rows(codec, expected.data(), decoded.size(), kRowElements, decoded.data());
      EXPECT_EQ(std::memcmp(decoded.data(), values.data(), values.size() * sizeof(float)), 0)
          << name(isa) << " decodes otherwise: " << rows.name;
      if (portable.encode == nullptr) continue;
      std::vector<std::byte> bytes(expected.size());
      codec.encode(input, bytes.data());
      EXPECT_TRUE(bytes == expected) << name(isa) << " encodes otherwise: " << rows.name;
    }
  }
}

/// All codes of a 16-bit type, also infinities and NaN; and floats of every exponent, on either side
/// of where numbers of 16 bits meet.
TEST(SixteenBits, ConvertAlikeOnAllIsas) {
  SLUICE_NEEDS(supported_isas().size() > 1, "this machine runs the portable kernels only");
  constexpr std::size_t kCodes = 65536;
  std::vector<std::uint16_t> codes(kCodes);
  std::iota(codes.begin(), codes.end(), std::uint16_t{0});
  std::vector<float> floats;
  for (const std::uint32_t code : codes) {
    for (const std::uint32_t below :
         {0u, 1u, 0x0fffu, 0x1000u, 0x1001u, 0x7fffu, 0x8000u, 0x8001u}) {
      floats.push_back(std::bit_cast<float>(code << 16 | below));
    }
  }
  for (const TensorType type : {TensorType::f16, TensorType::bf16}) {
    const auto convert = [&](Isa isa) {
      const Codec& codec = *find_codec(type, isa);
      std::vector<std::uint32_t> decoded(kCodes);
      codec.decode(reinterpret_cast<const std::byte*>(codes.data()),
                   reinterpret_cast<float*>(decoded.data()), kCodes - 1);
      std::vector<std::uint16_t> encoded(floats.size());
      codec.encode({.values = floats.data(),
                    .rows = 1,
                    .row_elements = floats.size() - 1,
                    .importance = nullptr},
                   reinterpret_cast<std::byte*>(encoded.data()));
      return std::pair(decoded, encoded);
    };
    const auto expected = convert(Isa::portable);
    for (const Isa isa : supported_isas()) {
      const auto found = convert(isa);
      EXPECT_TRUE(found.first == expected.first) << name(isa) << " decodes otherwise";
      EXPECT_TRUE(found.second == expected.second) << name(isa) << " encodes otherwise";
    }
  }
}

// Seeds of super-blocks in which a weight at some scale is the last number below a border of levels,
// as one of 30 thousand is.
TEST(LevelBorders, AreTheSameOnAllIsas) {
  for (const int seed : {49862, 55976, 98714}) {
    testing_support::Random random("near a border " + std::to_string(seed));
    std::vector<float> values(testing_support::kSuperBlock);
    std::vector<float> importance(values.size());
    for (float& value : values) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(random.heavy()));
      value = std::bit_cast<float>(bits & 0xffff0000);  // a BF16
    }
    for (float& weight : importance) weight = static_cast<float>(random.magnitude(-1, 1));
    const auto encoded = [&](Isa isa) {
      std::vector<std::byte> block(byte_size(TensorType::iq5_k, values.size()));
      find_codec(TensorType::iq5_k, isa)
          ->encode({.values = values.data(),
                    .rows = 1,
                    .row_elements = values.size(),
                    .importance = importance.data(),
                    .effort = Effort::best},
                   block.data());
      return block;
    };
    const auto expected = encoded(Isa::portable);
    for (const Isa isa : supported_isas()) EXPECT_TRUE(encoded(isa) == expected) << name(isa);
  }
}

std::vector<TensorType> all_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) types.push_back(codec.type);
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, Isas,
                         testing::Combine(testing::ValuesIn(all_types()),
                                          testing::Values(Effort::fast, Effort::best)),
                         [](const auto& test) {
                           return std::string(name(std::get<0>(test.param))) + "_" +
                                  std::string(name(std::get<1>(test.param)));
                         });

TEST(IsaTables, HaveTheSameTypes) {
  for (const Isa isa : supported_isas()) {
    ASSERT_EQ(codecs(isa).size(), codecs(Isa::portable).size());
    for (std::size_t i = 0; i < codecs(isa).size(); ++i) {
      EXPECT_EQ(codecs(isa)[i].type, codecs(Isa::portable)[i].type);
      EXPECT_EQ(codecs(isa)[i].encode == nullptr, codecs(Isa::portable)[i].encode == nullptr);
    }
  }
}

}  // namespace
}  // namespace sluice
