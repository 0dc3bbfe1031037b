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
inline constexpr std::size_t kNumbersAtOnce = 32;

#if defined(SLUICE_NEON)

/// Binary16, ties to even; what is beyond the largest number, and NaN, becomes it.
SLUICE_INLINE void to_f16(const float* from, std::byte* to) noexcept {
  const auto number = [](const float* at) noexcept {
    const float32x4_t value = vld1q_f32(at);
    const float32x4_t magnitude = Machine::min(vabsq_f32(value), vdupq_n_f32(65504.0f));
    return vbslq_f32(vdupq_n_u32(0x80000000u), value, magnitude);
  };
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 8) {
    const float16x8_t halves =
        vcvt_high_f16_f32(vcvt_f16_f32(number(from + i)), number(from + i + 4));
    std::memcpy(to + 2 * i, &halves, sizeof halves);
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
  constexpr float kLargest = 0x1.fep127f;
  const auto rounded = [](const float* at) noexcept {
    const Part<float> value = Part<float>::load(at);
    const Part<float> near = min(Part<float>(kLargest), max(Part<float>(-kLargest), value));
    const uint32x4_t bits = (uint32x4_t)near.part[0];
    // One more where the upper half is odd; what narrows drops the lower one.
    return vaddhn_u32(vsraq_n_u32(bits, bits << 15, 31), vdupq_n_u32(0x7fff));
  };
  for (std::size_t i = 0; i < kNumbersAtOnce; i += 8) {
    const uint16x8_t halves = vcombine_u16(rounded(from + i), rounded(from + i + 4));
    std::memcpy(to + 2 * i, &halves, sizeof halves);
  }
}

#else

/// Binary16, ties to even; what is beyond the largest number, and NaN, becomes it.
SLUICE_INLINE void to_f16(const float* from, std::byte* to) noexcept {
  constexpr std::size_t kLanes = Part<float>::kLanes;
  for (std::size_t i = 0; i < kNumbersAtOnce; i += kLanes) {
#if defined(__AVX512F__)
    // Of two numbers the lesser in magnitude, with the first's sign; of a quiet NaN and a number the
    // number. Signalling NaN, the second kind of operands, is made quiet before, all else stays.
    constexpr int kLesserMagnitude = 2;
    constexpr int kQuietSecondKind = 0x11111121;
    const __m512 value = _mm512_loadu_ps(from + i);
    const __m512 quiet = _mm512_fixupimm_ps(value, value, _mm512_set1_epi32(kQuietSecondKind), 0);
    const __m512 number = _mm512_range_ps(quiet, _mm512_set1_ps(65504.0f), kLesserMagnitude);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 2 * i),
                        _mm512_cvtps_ph(number, _MM_FROUND_TO_NEAREST_INT));
#else
    const Part<float> value = Part<float>::load(from + i);
    const auto magnitude = bits_of<Part<std::int32_t> >(min(abs(value), 65504.0f));
    const auto sign = bits_of<Part<std::int32_t> >(value) & static_cast<std::int32_t>(0x80000000u);
    const auto number = bits_of<Part<float> >(magnitude | sign);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * i),
                     _mm256_cvtps_ph(number.part[0], _MM_FROUND_TO_NEAREST_INT));
#endif
  }
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
  constexpr float kLargest = 0x1.fep127f;
  constexpr std::size_t kLanes = Part<float>::kLanes;
  const auto rounded = [](const float* at) noexcept {
    const Part<float> value = Part<float>::load(at);
    const Part<float> near = min(Part<float>(kLargest), max(Part<float>(-kLargest), value));
    // One more where the upper half is odd.
#if defined(__AVX512F__)
    const __m512i bits = _mm512_castps_si512(near.part[0]);
    const __m512i sum = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
    const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
    return _mm512_mask_sub_epi32(sum, odd, sum, _mm512_set1_epi32(-1));
#else
    const auto bits = bits_of<Part<std::int32_t> >(near);
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
    _mm512_storeu_si512(to + 2 * i, _mm512_permutex2var_epi16(
                                        (__m512i)a, _mm512_load_si512(kUpperHalves), (__m512i)b));
#else
    const __m256i halves =
        _mm256_packus_epi32(_mm256_srli_epi32((__m256i)a, 16), _mm256_srli_epi32((__m256i)b, 16));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 2 * i),
                        _mm256_permute4x64_epi64(halves, 0xd8));
#endif
  }
}

#endif

}  // namespace sluice::inline SLUICE_ISA::simd

#endif
