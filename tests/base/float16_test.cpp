#include "base/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace sluice {
namespace {

// Truth from the definition of binary16: sign * 2^(e - 15) * 1.m, subnormals 2^-14 * 0.m.
float by_definition(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int mantissa = half & 1023;
  const float sign = half & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 31) {
    return mantissa == 0 ? sign * std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(1.0f + static_cast<float>(mantissa) / 1024.0f, exponent - 15);
}

TEST(Float16, EveryHalfDecodesByTheDefinition) {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    const float expected = by_definition(static_cast<std::uint16_t>(half));
    const float value = f16_to_f32(static_cast<std::uint16_t>(half));
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value));
    } else {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(expected));
    }
  }
}

TEST(Float16, EncodesToTheNearestAndTiesToEven) {
  // Between every two neighbours: just below, at, and just above the midpoint.
  for (std::uint32_t half = 0; half < 0x7bff; ++half) {
    const float low = by_definition(static_cast<std::uint16_t>(half));
    const float high = by_definition(static_cast<std::uint16_t>(half + 1));
    const float middle = (low + high) / 2;  // exact: one more bit of mantissa
    ASSERT_EQ(f32_to_f16(low), half);
    ASSERT_EQ(f32_to_f16(std::nextafterf(middle, 0.0f)), half);
    ASSERT_EQ(f32_to_f16(middle), half % 2 == 0 ? half : half + 1);
    ASSERT_EQ(f32_to_f16(std::nextafterf(middle, 1e9f)), half + 1);
    ASSERT_EQ(f32_to_f16(-low), half | 0x8000);
  }
  EXPECT_EQ(f32_to_f16(65519.99f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16(1e-40f), 0);
}

TEST(Bfloat16, RoundsToNearestEvenAndKeepsNan) {
  EXPECT_EQ(f32_to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f808000u)), 0x3f80);  // tie, even below
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);  // tie, even above
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
  for (std::uint32_t v = 0; v < 0x7f80; ++v) {
    ASSERT_EQ(f32_to_bf16(bf16_to_f32(static_cast<std::uint16_t>(v))), v);
  }
}

}  // namespace
}  // namespace sluice
