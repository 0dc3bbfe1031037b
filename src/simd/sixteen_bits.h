#pragma once

// Many floats to numbers of 16 bits and back, where the machine has instructions that g++ does not
// find by itself. Their results are those of base/float16.h and codec/half.h.

#include <cstddef>
#include <cstdint>

#include "simd/lanes.h"

#if (defined(__F16C__) || defined(__AVX512F__) || defined(SLUICE_NEON)) && \
    !defined(SLUICE_REGISTER_BYTES)
#define SLUICE_SIXTEEN_BITS 1

namespace sluice::inline SLUICE_ISA::simd {

/// How many the functions below take.
inline constexpr std::size_t kNumbersAtOnce = 64;
/// Bits of the largest numbers.
inline constexpr std::uint16_t kLargestF16 = 0x7bff;
inline constexpr std::uint16_t kLargestBf16 = 0x7f7f;

// Of numbers that are a sign and a magnitude, those beyond the largest become it with two instructions after they
// are narrow: as signed words the negative ones are below all others, as unsigned ones above.

#if defined(SLUICE_NEON)

SLUICE_INLINE void store_limited(std::byte* to, uint16x8_t numbers,
                                 std::uint16_t largest) noexcept {
  const int16x8_t positive = vminq_s16((int16x8_t)numbers, vdupq_n_s16((std::int16_t)largest));
  const uint16x8_t both = vminq_u16((uint16x8_t)positive, vdupq_n_u16(largest | 0x8000u));
  std::memcpy(to, &both, sizeof both);
}

/// Binary16, ties to even; what is beyond the largest number, and NaN, becomes it.
SLUICE_INLINE void to_f16(const float* from, std::byte* to) noexcept {
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 8) {
    const float16x8_t halves =
        vcvt_high_f16_f32(vcvt_f16_f32(vld1q_f32(from + i)), vld1q_f32(from + i + 4));
    store_limited(to + 2 * i, (uint16x8_t)halves, kLargestF16);
  }
}

/// Exact. False: there is a NaN, which was made quiet.
SLUICE_INLINE bool from_f16(const std::byte* from, float* to) noexcept {
  uint32x4_t numbers = vdupq_n_u32(0xffffffffu);
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 8) {
    float16x8_t halves;
    std::memcpy(&halves, from + 2 * i, sizeof halves);
    const float32x4_t low = vcvt_f32_f16(vget_low_f16(halves));
    const float32x4_t high = vcvt_high_f32_f16(halves);
    numbers &= vceqq_f32(low, low) & vceqq_f32(high, high);
    vst1q_f32(to + i, low);
    vst1q_f32(to + i + 4, high);
  }
  return vminvq_u32(numbers) != 0;
}

/// The upper halves, ties to even; what is beyond the largest number becomes it, NaN anything.
SLUICE_INLINE void to_bf16(const float* from, std::byte* to) noexcept {
  const auto rounded = [](const float* at) noexcept {
    const uint32x4_t bits = (uint32x4_t)vld1q_f32(at);
    // One more where the upper half is odd; what narrows drops the lower one.
    return vaddhn_u32(vsraq_n_u32(bits, bits << 15, 31), vdupq_n_u32(0x7fff));
  };
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 8) {
    store_limited(to + 2 * i, vcombine_u16(rounded(from + i), rounded(from + i + 4)), kLargestBf16);
  }
}

#else

#if defined(__AVX512F__)
SLUICE_INLINE __m512i limited(__m512i numbers, std::uint16_t largest) noexcept {
  const __m512i positive = _mm512_min_epi16(numbers, _mm512_set1_epi16((std::int16_t)largest));
  return _mm512_min_epu16(positive, _mm512_set1_epi16((std::int16_t)(largest | 0x8000)));
}
#endif
SLUICE_INLINE __m256i limited(__m256i numbers, std::uint16_t largest) noexcept {
  const __m256i positive = _mm256_min_epi16(numbers, _mm256_set1_epi16((std::int16_t)largest));
  return _mm256_min_epu16(positive, _mm256_set1_epi16((std::int16_t)(largest | 0x8000)));
}

/// Binary16, ties to even; what is beyond the largest number, and NaN, becomes it.
SLUICE_INLINE void to_f16(const float* from, std::byte* to) noexcept {
#if defined(__AVX512F__)
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 32) {
    const __m256i low = _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
    const __m256i high = _mm512_cvtps_ph(_mm512_loadu_ps(from + i + 16), _MM_FROUND_TO_NEAREST_INT);
    _mm512_storeu_si512(
        to + 2 * i, limited(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1), kLargestF16));
  }
#else
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 16) {
    const __m256i halves =
        _mm256_set_m128i(_mm256_cvtps_ph(_mm256_loadu_ps(from + i + 8), _MM_FROUND_TO_NEAREST_INT),
                         _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 2 * i), limited(halves, kLargestF16));
  }
#endif
}

/// Exact. False: there is a NaN, which was made quiet.
SLUICE_INLINE bool from_f16(const std::byte* from, float* to) noexcept {
  constexpr std::size_t kLanes = Part<float>::kLanes;
  bool numbers = true;
  for (std::size_t i = 0; i < kNumbersAtOnce; i += kLanes) {
#if defined(__AVX512F__)
    const auto halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 2 * i));
    const __m512 values = _mm512_cvtph_ps(halves);
    numbers &= _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q) == 0;
#else
    const auto halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * i));
    const __m256 values = _mm256_cvtph_ps(halves);
    numbers &= _mm256_movemask_ps(_mm256_cmp_ps(values, values, _CMP_UNORD_Q)) == 0;
#endif
    Part<float>(values).store(to + i);
  }
  return numbers;
}

/// The upper halves, ties to even; what is beyond the largest number becomes it, NaN anything.
SLUICE_INLINE void to_bf16(const float* from, std::byte* to) noexcept {
  constexpr std::size_t kLanes = Part<float>::kLanes;
  const auto rounded = [](const float* at) noexcept {
  // One more where the upper half is odd.
#if defined(__AVX512F__)
    const __m512i bits = _mm512_loadu_si512(at);
    const __m512i sum = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
    const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
    return _mm512_mask_sub_epi32(sum, odd, sum, _mm512_set1_epi32(-1));
#else
    const auto bits = Part<std::int32_t>::load(reinterpret_cast<const std::int32_t*>(at));
    return (bits + 0x7fff + (shift_right<16>(bits) & 1)).part[0];
#endif
  };
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 2 * kLanes) {
    const auto a = rounded(from + i);
    const auto b = rounded(from + i + kLanes);
#if defined(__AVX512F__)
    alignas(64) static constexpr std::uint16_t kUpperHalves[32] = {
        1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
        33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
    const __m512i halves =
        _mm512_permutex2var_epi16((__m512i)a, _mm512_load_si512(kUpperHalves), (__m512i)b);
    _mm512_storeu_si512(to + 2 * i, limited(halves, kLargestBf16));
#else
    const __m256i halves =
        _mm256_packus_epi32(_mm256_srli_epi32((__m256i)a, 16), _mm256_srli_epi32((__m256i)b, 16));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 2 * i),
                        limited(_mm256_permute4x64_epi64(halves, 0xd8), kLargestBf16));
#endif
  }
}

#endif

}  // namespace sluice::inline SLUICE_ISA::simd

#endif
