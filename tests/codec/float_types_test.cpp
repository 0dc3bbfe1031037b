// Types that are numbers, not blocks, and the four-bit floats, by their definitions.

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "codec/tiny_float.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

using testing_support::tiny_float;

std::vector<float> encode_and_decode(TensorType type, const std::vector<float>& values) {
  const Codec* codec = find_codec(type);
  std::vector<std::byte> blocks(byte_size(type, values.size()));
  codec->encode({values.data(), 1, values.size(), nullptr}, blocks.data());
  std::vector<float> decoded(values.size());
  codec->decode(blocks.data(), decoded.data(), decoded.size());
  return decoded;
}

TEST(F16, SaturatesInsteadOfBecomingInfinite) {
  EXPECT_EQ(encode_and_decode(TensorType::f16, {65504, 65519, 65520, 1e6f, FLT_MAX, -FLT_MAX}),
            (std::vector<float>{65504, 65504, 65504, 65504, 65504, -65504}));
}

TEST(F16, KeepsWhatItCanHold) {
  const std::vector<float> exact = {0, 1, -2.5f, 0x1p-24f, 0x1.ffcp15f, 0x1.554p-3f};
  EXPECT_EQ(encode_and_decode(TensorType::f16, exact), exact);
}

/// Both numbers of 16 bits that are neighbours, with what lies between them: `decode` has the
/// values, and codes are magnitudes, in order.
void expect_nearest(TensorType type, std::uint16_t codes) {
  const auto decode = [&](std::uint16_t code) {
    float value;
    find_codec(type)->decode(reinterpret_cast<const std::byte*>(&code), &value, 1);
    return value;
  };
  std::vector<float> values;
  std::vector<std::uint16_t> expected;
  for (unsigned low = 0; low + 1 < codes; ++low) {
    const double middle = (double{decode(static_cast<std::uint16_t>(low))} +
                           double{decode(static_cast<std::uint16_t>(low + 1))}) /
                          2;
    const auto tie = static_cast<float>(middle);
    ASSERT_EQ(double{tie}, middle);
    for (const unsigned sign : {0u, 0x8000u}) {
      const auto expect = [&](float value, unsigned code) {
        values.push_back(sign == 0 ? value : -value);
        expected.push_back(static_cast<std::uint16_t>(sign | code));
      };
      expect(decode(static_cast<std::uint16_t>(low)), low);
      expect(std::nextafter(tie, 0.0f), low);
      expect(tie, low + low % 2);
      expect(std::nextafter(tie, FLT_MAX), low + 1);
    }
  }
  for (const Isa isa : supported_isas()) {
    std::vector<std::uint16_t> encoded(values.size());
    find_codec(type, isa)->encode({values.data(), 1, values.size(), nullptr},
                                  reinterpret_cast<std::byte*>(encoded.data()));
    EXPECT_TRUE(encoded == expected) << name(isa);
  }
}

TEST(F16, TakesTheNearestOfTwoNeighboursAndTheEvenOneInBetween) {
  expect_nearest(TensorType::f16, 0x7c00);
}

TEST(Bf16, TakesTheNearestOfTwoNeighboursAndTheEvenOneInBetween) {
  expect_nearest(TensorType::bf16, 0x7f80);
}

TEST(Bf16, SaturatesInsteadOfBecomingInfinite) {
  const float largest = 0x1.fep127f;
  EXPECT_EQ(encode_and_decode(TensorType::bf16, {FLT_MAX, -FLT_MAX, largest, 0x1.ffp126f}),
            (std::vector<float>{largest, -largest, largest, 0x1p127f}));
}

TEST(F64, RoundsToBinary32) {
  const std::vector<double> values = {0.0, -1.5, 0.1, 1e-320, 3e38, 1e300};
  std::vector<std::byte> bytes(values.size() * sizeof(double));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  std::vector<float> decoded(values.size());
  find_codec(TensorType::f64)->decode(bytes.data(), decoded.data(), decoded.size());
  EXPECT_EQ(decoded, (std::vector<float>{0.0f, -1.5f, 0.1f, 0.0f, 3e38f,
                                         std::numeric_limits<float>::infinity()}));
}

TEST(Nvfp4, DecodesByDefinition) {
  // All 128 scales, each with all codes.
  for (unsigned scale = 0; scale < 128; ++scale) {
    std::vector<std::byte> block(36);
    for (unsigned s = 0; s < 4; ++s) block[s] = static_cast<std::byte>((scale + s) % 128);
    for (unsigned i = 4; i < 36; ++i) block[i] = static_cast<std::byte>((i - 4) * 0x25);
    std::vector<float> decoded(64);
    find_codec(TensorType::nvfp4)->decode(block.data(), decoded.data(), decoded.size());
    for (unsigned i = 0; i < 64; ++i) {
      const unsigned sub_block = i / 16;
      const unsigned place = i % 16;
      const unsigned byte = std::to_integer<unsigned>(block[4 + sub_block * 8 + place % 8]);
      const unsigned code = place < 8 ? byte & 15 : byte >> 4;
      const unsigned scale_bits = std::to_integer<unsigned>(block[sub_block]);
      const double magnitude =
          tiny_float(code & 7, 2, 1) * (scale_bits == 0x7f ? 0.0 : tiny_float(scale_bits, 4, 3));
      const double expected = code & 8 ? -magnitude : magnitude;
      ASSERT_EQ(decoded[i], static_cast<float>(expected)) << "scale " << scale << " at " << i;
    }
  }
}

TEST(Q8_0, KeepsEveryWeightWithinHalfAStep) {
  std::vector<float> values(32 * 64);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::ldexp(std::sin(static_cast<float>(i * i)), static_cast<int>(i / 32 % 12) - 6);
  }
  std::vector<std::byte> blocks(byte_size(TensorType::q8_0, values.size()));
  const Codec* codec = find_codec(TensorType::q8_0);
  codec->encode({values.data(), 1, values.size(), nullptr}, blocks.data());
  std::vector<float> decoded(values.size());
  codec->decode(blocks.data(), decoded.data(), decoded.size());
  for (std::size_t start = 0; start < values.size(); start += 32) {
    float largest = 0;
    for (std::size_t i = start; i < start + 32; ++i) {
      largest = std::max(largest, std::fabs(values[i]));
    }
    for (std::size_t i = start; i < start + 32; ++i) {
      // Half a step, and what rounding the step to binary16 adds at the end of the range.
      ASSERT_LE(std::fabs(values[i] - decoded[i]), largest * (0.5f / 127 + 0x1p-11f));
      ASSERT_NE(std::to_integer<int>(blocks[start / 32 * 34 + 2 + i % 32]), 0x80);
    }
  }
}

}  // namespace
}  // namespace sluice
