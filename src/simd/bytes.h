#pragma once

// Products of bytes, and lists of lanes.

#include <cstdint>
#include <cstring>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::simd {

/// Lane i: sum[i] + the products of its four bytes, those of `bytes` unsigned, the factors of [-64, 64].
SLUICE_INLINE Ints accumulate_byte_products(const Ints& sum, const Ints& bytes,
                                            const Ints& factors) noexcept {
  Ints result;
  for (std::size_t i = 0; i < Ints::kParts; ++i) {
#if defined(__AVX512VNNI__)
    result.part[i] = (Ints::Register)_mm512_dpbusd_epi32(
        (__m512i)sum.part[i], (__m512i)bytes.part[i], (__m512i)factors.part[i]);
#elif defined(__AVX2__)
    // Two products fit into 16 bits.
    const __m256i pairs = _mm256_maddubs_epi16((__m256i)bytes.part[i], (__m256i)factors.part[i]);
    result.part[i] = sum.part[i] + (Ints::Register)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#else
    using Register = Shorts::Register;
    const Register a = (Register)bytes.part[i];
    const Register b = (Register)factors.part[i];
    result.part[i] = Machine::accumulate_products(sum.part[i], a & 255, b << 8 >> 8);
    result.part[i] = Machine::accumulate_products(
        result.part[i], Machine::template shift_right_unsigned<8>(a), b >> 8);
#endif
  }
  return result;
}

/// Writes first + l for each lane l for which a mask holds, up to 15 others behind them, and returns
/// where these are. Whether a lane is taken cannot be foretold, so there is no branch.
SLUICE_INLINE std::uint16_t* append_numbers(const FloatMask& mask, unsigned first,
                                            std::uint16_t* to) noexcept {
  const unsigned bits = Machine::to_bits(mask.part);
#if defined(__AVX512VBMI2__)
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i numbers = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(first)));
  const __m256i taken =
      _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(static_cast<__mmask16>(bits), numbers));
  std::memcpy(to, &taken, sizeof taken);
  return to + __builtin_popcount(bits);
#else
  for (unsigned l = 0; l < 16; ++l) {
    *to = static_cast<std::uint16_t>(first + l);
    to += bits >> l & 1;
  }
  return to;
#endif
}

/// The largest lane.
SLUICE_INLINE std::int32_t most_of(const Ints& lanes) noexcept {
  std::int32_t at[16];
  lanes.store(at);
  std::int32_t most[4] = {at[0], at[1], at[2], at[3]};
  for (std::size_t i = 4; i < 16; ++i) most[i % 4] = most[i % 4] < at[i] ? at[i] : most[i % 4];
  const std::int32_t low = most[0] < most[1] ? most[1] : most[0];
  const std::int32_t high = most[2] < most[3] ? most[3] : most[2];
  return low < high ? high : low;
}

}  // namespace sluice::inline SLUICE_ISA::simd
