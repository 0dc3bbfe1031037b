#pragma once

// Registers of 16-bit integers, for searches in fixed point: exact, so that the width of a register
// does not show, and twice as many lanes as floats.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/lattice/lanes.h"

namespace sluice::inline SLUICE_ISA {

using ShortRegister = std::int16_t __attribute__((vector_size(kRegisterBytes)));
inline constexpr std::size_t kRegisterShorts = kRegisterBytes / sizeof(std::int16_t);

/// The high halves of the products of unsigned numbers.
static inline ShortRegister multiply_high(ShortRegister a, ShortRegister b) noexcept {
#if defined(__AVX512BW__)
  return reinterpret_cast<ShortRegister>(
      _mm512_mulhi_epu16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<ShortRegister>(
      _mm256_mulhi_epu16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<ShortRegister>(
      _mm_mulhi_epu16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  ShortRegister high;
  for (std::size_t i = 0; i < kRegisterShorts; ++i) {
    const std::uint32_t product =
        std::uint32_t{static_cast<std::uint16_t>(a[i])} * static_cast<std::uint16_t>(b[i]);
    high[i] = static_cast<std::int16_t>(product >> 16);
  }
  return high;
#endif
}

/// The high halves of the squares of signed numbers.
static inline ShortRegister square_high(ShortRegister a) noexcept {
#if defined(__AVX512BW__)
  const __m512i b = reinterpret_cast<__m512i>(a);
  return reinterpret_cast<ShortRegister>(_mm512_mulhi_epi16(b, b));
#elif defined(__AVX2__)
  const __m256i b = reinterpret_cast<__m256i>(a);
  return reinterpret_cast<ShortRegister>(_mm256_mulhi_epi16(b, b));
#elif defined(__SSE2__)
  const __m128i b = reinterpret_cast<__m128i>(a);
  return reinterpret_cast<ShortRegister>(_mm_mulhi_epi16(b, b));
#else
  ShortRegister high;
  for (std::size_t i = 0; i < kRegisterShorts; ++i) {
    high[i] = static_cast<std::int16_t>(std::int32_t{a[i]} * a[i] >> 16);
  }
  return high;
#endif
}

/// Signed sums, drawn in to what 16 bits hold.
static inline ShortRegister add_saturated(ShortRegister a, ShortRegister b) noexcept {
#if defined(__AVX512BW__)
  return reinterpret_cast<ShortRegister>(
      _mm512_adds_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<ShortRegister>(
      _mm256_adds_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<ShortRegister>(
      _mm_adds_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  ShortRegister sum;
  for (std::size_t i = 0; i < kRegisterShorts; ++i) {
    const std::int32_t exact = std::int32_t{a[i]} + b[i];
    sum[i] = static_cast<std::int16_t>(exact < -32768 ? -32768 : exact > 32767 ? 32767 : exact);
  }
  return sum;
#endif
}

static inline ShortRegister lesser(ShortRegister a, ShortRegister b) noexcept {
  return a < b ? a : b;
}

}  // namespace sluice::inline SLUICE_ISA
