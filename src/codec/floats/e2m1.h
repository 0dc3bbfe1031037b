#pragma once

// The four-bit floating-point numbers of MXFP4 and NVFP4.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/packing.h"
#include "simd/lanes.h"

#if defined(__AVX2__) && !defined(SLUICE_REGISTER_BYTES)
#define SLUICE_E2M1_TABLES 1
#endif

namespace sluice::inline SLUICE_ISA {

/// Twice the value of each code (sign, two bits of exponent, one of mantissa), so that all are
/// integers. Code 8, minus zero, is plain zero here, as in the readers of these formats.
inline constexpr std::int8_t kTwiceE2M1[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                               0, -1, -2, -3, -4, -6, -8, -12};

/// The E2M1 number nearest to each number that is not negative, ties to even codes. With one bit of
/// mantissa the step is half the power of two below the number, and a half below one; adding
/// 1.5 * 2^23 steps leaves no bits below a step.
template <std::size_t N>
SLUICE_INLINE simd::Lanes<float, N> round_to_e2m1(const simd::Lanes<float, N>& numbers) noexcept {
  using Values = simd::Lanes<float, N>;
  using Integers = simd::Lanes<std::int32_t, N>;
#if defined(SLUICE_E2M1_TABLES)
  // Of integers, which more units of a core do than of floats: bits are in the order of the numbers.
  const Integers bits = min(simd::bits_of<Integers>(numbers), 0x40c00000);
  const auto number = simd::bits_of<Values>(bits);
  const auto shift =
      simd::bits_of<Values>(max(bits & 0x7f800000, 0x3f800000) + ((22 << 23) | 0x400000));
#else
  const Values number = min(numbers, 6);
  const auto power = simd::bits_of<Values>(simd::bits_of<Integers>(number) & 0x7f800000);
  const Values shift = max(power, 1) * 0x1.8p22f;
#endif
  return (number + shift) - shift;
}

#if defined(SLUICE_E2M1_TABLES)

/// 1.5 * 2^23 steps, by where a number is: their sum with the number ends in how many steps that is,
/// ties rounded to even. What is added to them makes it eight more than the code's magnitude, or of a
/// negative number eight less that. Beyond 6 a step is so large that the number is none.
struct E2M1Table {
  alignas(64) float steps[simd::kPartLanes<float>];

  /// Entry n is for about [2n - 8, 2n - 6): a border may be moved to where both sides' steps still
  /// give the same.
  constexpr E2M1Table() noexcept : steps() {
    constexpr float kStep[] = {16, 2, 1, 0.5f, 0.5f, 1, 2, 16};
    constexpr float kMore[] = {-7, -4, -2, 0, 0, 2, 4, 7};
    for (std::size_t i = 0; i < simd::kPartLanes<float>; ++i) {
      steps[i] = (0x1.8p23f + 8 + kMore[i % 8]) * kStep[i % 8];
    }
  }
};
inline constexpr E2M1Table kE2M1Table;

/// The entries for numbers nearer to zero than 8, by what they, or a little less, are and 24: the
/// exponent is that of 16 then, and the first three bits of the mantissa tell the entry.
template <std::size_t N>
SLUICE_INLINE simd::Lanes<float, N> e2m1_steps(const simd::Lanes<float, N>& cells) noexcept {
  using Integers = simd::Lanes<std::int32_t, N>;
  return look_up(kE2M1Table.steps, simd::shift_right<20>(simd::bits_of<Integers>(cells)));
}

/// Codes by what such a sum ends in; zeros have no sign.
alignas(16) inline constexpr std::uint8_t kE2M1Codes[16] = {0, 15, 14, 13, 12, 11, 10, 9,
                                                            0, 1,  2,  3,  4,  5,  6,  7};

/// The codes nearest to 32 values, those of j and j + 16 in byte j; zeros have no sign.
/// \param inverse  one by the scale, a power of two; all values are nearer to zero than 8 scales
SLUICE_INLINE void store_e2m1(const float* values, float inverse, std::uint8_t* bytes) noexcept {
  const auto sum = [&](std::size_t i) noexcept {
    using Values = simd::Part<float>;
    const Values x = Values::load(values + i * Values::kLanes);
    // The scale is a power of two: products are exact.
    const Values steps = e2m1_steps(fused_multiply_add(x, Values(inverse * 0.99f), Values(24)));
    return fused_multiply_add(x, Values(inverse), steps).part[0];
  };
#if defined(__AVX512BW__)
  const auto first = (__m512i)sum(0);
  const auto second = (__m512i)sum(1);
  // Bytes 0 and 1 of each lane are the two.
  const __m512i pairs =
      _mm512_mask_mov_epi8(first, 0x2222222222222222, _mm512_slli_epi32(second, 8));
  const __m512i codes = _mm512_shuffle_epi8(
      _mm512_broadcast_i32x4(_mm_load_si128((const __m128i*)kE2M1Codes)), pairs);
  const __m512i packed = _mm512_maddubs_epi16(codes, _mm512_set1_epi16(0x1001));
  const __m128i result = _mm512_cvtepi32_epi8(packed);
#else
  // Of lane l: bytes 0 to 3 are numbers l, l + 16, l + 8 and l + 24.
  const __m256i low =
      _mm256_blend_epi16((__m256i)sum(0), _mm256_slli_epi32((__m256i)sum(1), 16), 0xaa);
  const __m256i high =
      _mm256_blend_epi16((__m256i)sum(2), _mm256_slli_epi32((__m256i)sum(3), 16), 0xaa);
  const __m256i numbers = _mm256_or_si256(low, _mm256_slli_epi16(high, 8));
  const __m256i codes = _mm256_shuffle_epi8(
      _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i*)kE2M1Codes)), numbers);
  const __m256i packed = _mm256_maddubs_epi16(codes, _mm256_set1_epi16(0x1001));
  const __m128i bytes_by_turns =
      _mm_packus_epi16(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
  const __m128i result = _mm_shuffle_epi8(
      bytes_by_turns, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
#endif
  std::memcpy(bytes, &result, sizeof result);
}

#else

SLUICE_INLINE void store_e2m1(const float* values, float inverse, std::uint8_t* bytes) noexcept {
  using Values = simd::Lanes<float, 32>;
  const Values value = Values::load(values);
  const Values twice = round_to_e2m1(abs(value) * inverse) * 2.0f;
  std::uint8_t codes[32];
  store_bytes(codes, select(value < 0, twice + 16, twice));
  constexpr Bytes<16> kNone = {};
  constexpr Bytes<16> kOne = kNone + 1;
  for (std::size_t i = 0; i < 32; i += 16) {
    Bytes<16> code;
    std::memcpy(&code, codes + i, sizeof code);
    const Bytes<16> t = code & 15;
    // 0, 1, 2, 3, 4, 6, 8 and 12 are numbered.
    const Bytes<16> number =
        t - (t > 4 ? kOne : kNone) - (t > 6 ? kOne : kNone) - (t > 8 ? kOne * 3 : kNone);
    code = t > 0 ? number | (code >> 4 << 3) : kNone;
    std::memcpy(codes + i, &code, sizeof code);
  }
  pack_nibbles(codes, bytes);
}

#endif

}  // namespace sluice::inline SLUICE_ISA
